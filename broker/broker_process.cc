#include "broker/broker_process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "proto/fresh_child.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

// How long a broker may take to end in good order.
constexpr std::chrono::seconds kStopPatience(3);
constexpr std::chrono::milliseconds kStopPoll(2);

// What the child is to have open: the standard streams and these two, of which the first may be -1.
std::vector<int> Kept(int audit, int control) {
  std::vector<int> kept = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  if (audit > STDERR_FILENO) kept.push_back(audit);
  kept.push_back(control);
  std::sort(kept.begin(), kept.end());
  return kept;
}

int Serve(BrokerOptions options, UniqueFd control) {
  // A terminal's Ctrl-C is for the launcher, who then stops us.
  signal(SIGINT, SIG_IGN);
  auto broker = Broker::Create(std::move(options));
  absl::Status status =
      broker.ok() ? (*broker)->FollowLauncher(std::move(control)) : broker.status();
  if (status.ok()) status = (*broker)->EnterCage();
  if (!status.ok()) {
    std::fprintf(stderr, "sockgate broker: %s\n", status.ToString().c_str());
    return EXIT_FAILURE;
  }
  (*broker)->RunAsProcess({SIGTERM});
  broker->reset();
  return EXIT_SUCCESS;
}

// noexcept: an exception must not unwind into the launcher's half of the program.
[[noreturn]] void RunChild(BrokerOptions options, const std::optional<confine::Identity>& user,
                           UniqueFd control) noexcept {
  ResetSignals();
  if (CloseAllDescriptorsBut(Kept(options.audit.get(), control.get())) != 0) _exit(EXIT_FAILURE);
  if (const int error = user.has_value() ? user->Become() : 0) {
    std::fprintf(stderr, "sockgate broker: cannot become another user: %s\n", strerror(error));
    _exit(EXIT_FAILURE);
  }
  _exit(Serve(std::move(options), std::move(control)));
}

// Whether the child has ended, or is nobody's to wait for.
bool Reaped(pid_t pid) {
  const pid_t ended = waitpid(pid, nullptr, WNOHANG);
  return ended == pid || (ended < 0 && errno == ECHILD);
}

}  // namespace

absl::StatusOr<BrokerProcess> BrokerProcess::Start(BrokerOptions options,
                                                   const std::optional<confine::Identity>& user) {
  // Or the control socket could become the child's standard error.
  if (const int error = FillStandardStreams()) return absl::ErrnoToStatus(error, "/dev/null");
  // The broker's end of a pair refuses descriptors, so here the child has the other one.
  auto pair = MakeChannelPair();
  if (!pair.has_value()) return absl::ErrnoToStatus(errno, "cannot make a control socket");
  const pid_t pid = ForkWithoutSignals();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) RunChild(std::move(options), user, std::move(pair->worker));
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

void BrokerProcess::Forget() {
  control_.Reset();
  pid_ = -1;
}

void BrokerProcess::Stop() {
  control_.Reset();
  if (pid_ < 0) return;
  kill(pid_, SIGTERM);
  const auto give_up = std::chrono::steady_clock::now() + kStopPatience;
  while (!Reaped(pid_)) {
    if (std::chrono::steady_clock::now() >= give_up) kill(pid_, SIGKILL);
    std::this_thread::sleep_for(kStopPoll);
  }
  pid_ = -1;
}

}  // namespace sockgate
