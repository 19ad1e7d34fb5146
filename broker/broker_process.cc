#include "broker/broker_process.h"

#include <linux/close_range.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "proto/packet_socket.h"

namespace sockgate {
namespace {

Broker* g_broker = nullptr;

void StopBroker(int /*signal*/) { g_broker->Stop(); }

// Closes everything above standard error but the two.
void CloseOthers(int a, int b) {
  const unsigned low = static_cast<unsigned>(std::min(a, b));
  const unsigned high = static_cast<unsigned>(std::max(a, b));
  unsigned first = STDERR_FILENO + 1;
  for (const unsigned kept : {low, high}) {
    if (kept < first || kept == ~0U) continue;
    if (kept > first) syscall(SYS_close_range, first, kept - 1, 0U);
    first = kept + 1;
  }
  syscall(SYS_close_range, first, ~0U, 0U);
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
  (*broker)->Run();
  signal(SIGTERM, SIG_IGN);
  broker->reset();
  return EXIT_SUCCESS;
}

}  // namespace

absl::StatusOr<BrokerProcess> BrokerProcess::Start(BrokerOptions options) {
  auto pair = MakeChannelPair();
  if (!pair.has_value()) return absl::ErrnoToStatus(errno, "cannot make a control socket");
  // Of the two ends the launcher's is the one that sends descriptors, so it must be the unprepared
  // one's peer.
  const pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) {
    CloseOthers(options.audit.get(), pair->worker.get());
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
