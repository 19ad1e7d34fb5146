#include "broker/broker_process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "proto/descriptor_sweep.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

Broker* g_broker = nullptr;

void StopBroker(int /*signal*/) { g_broker->Stop(); }

sigset_t TerminationSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  return set;
}

// What the child is to have open: the standard streams and these two, of which the first may be -1.
std::vector<int> Kept(int audit, int control) {
  std::vector<int> kept = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  if (audit > STDERR_FILENO) kept.push_back(audit);
  kept.push_back(control);
  std::sort(kept.begin(), kept.end());
  return kept;
}

int Serve(BrokerOptions options, UniqueFd control) {
  auto broker = Broker::Create(std::move(options));
  absl::Status status =
      broker.ok() ? (*broker)->FollowLauncher(std::move(control)) : broker.status();
  if (!status.ok()) {
    std::fprintf(stderr, "sockgate broker: %s\n", status.ToString().c_str());
    return EXIT_FAILURE;
  }
  g_broker = broker->get();
  // A terminal's Ctrl-C is for the launcher, who then stops us.
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, StopBroker);
  const sigset_t termination = TerminationSignal();
  pthread_sigmask(SIG_UNBLOCK, &termination, nullptr);
  (*broker)->Run();
  signal(SIGTERM, SIG_IGN);
  broker->reset();
  return EXIT_SUCCESS;
}

}  // namespace

absl::StatusOr<BrokerProcess> BrokerProcess::Start(BrokerOptions options) {
  auto pair = MakeChannelPair();
  if (!pair.has_value()) return absl::ErrnoToStatus(errno, "cannot make a control socket");
  // The broker's end of a pair refuses descriptors, so here the child has the other one.
  // Stop()'s signal must reach the child's own handler, whatever the launcher does about it.
  const sigset_t termination = TerminationSignal();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &termination, &before);
  const pid_t pid = fork();
  const int error = errno;
  if (pid != 0) pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return absl::ErrnoToStatus(error, "fork");
  if (pid == 0) {
    if (CloseAllDescriptorsBut(Kept(options.audit.get(), pair->worker.get())) != 0) {
      _exit(EXIT_FAILURE);
    }
    _exit(Serve(std::move(options), std::move(pair->worker)));
  }
  return BrokerProcess(pid, std::move(pair->broker));
}

BrokerProcess::BrokerProcess(BrokerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), control_(std::move(other.control_)) {}

BrokerProcess& BrokerProcess::operator=(BrokerProcess&& other) noexcept {
  if (this != &other) {
    Stop();
    pid_ = std::exchange(other.pid_, -1);
    control_ = std::move(other.control_);
  }
  return *this;
}

absl::StatusOr<UniqueFd> BrokerProcess::AddWorker(absl::string_view role) {
  auto pair = MakeChannelPair();
  if (!pair.has_value()) return absl::ErrnoToStatus(errno, "cannot make a channel");
  const auto name = absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(role.data()), role.size());
  Sent sent;
  do {
    sent = SendPacket(control_.get(), name, pair->broker.get(), Wait::kYes);
  } while (sent.status == PacketStatus::kWouldBlock);
  if (sent.status == PacketStatus::kClosed) return absl::UnavailableError("the broker has ended");
  if (sent.status != PacketStatus::kOk) {
    return absl::ErrnoToStatus(sent.error, "cannot give the broker a channel");
  }
  return std::move(pair->worker);
}

void BrokerProcess::Stop() {
  control_.Reset();
  if (pid_ < 0) return;
  kill(pid_, SIGTERM);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace sockgate
