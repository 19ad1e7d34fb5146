#include "broker/resolver/keeper_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "broker/resolver/keeper_orders.h"
#include "broker/resolver/resolver_process.h"
#include "proto/check.h"
#include "proto/fresh_child.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// The pause before the next resolver. One that lived longer than the longest pause is no sign that
// something is wrong for good.
constexpr milliseconds kShortestPause(100);
constexpr milliseconds kLongestPause(5000);

// Room for questions and answers that wait: a thousand of a usual size, and the kernel allows no
// more by default (net.core.wmem_max).
constexpr int kQuestionBytes = 208 * 1024;

// Becomes readable when a child has ended. -1 when the system has no descriptor left.
UniqueFd WatchChildren() {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, nullptr);
  return UniqueFd(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
}

// Standard error, to say why it cannot start. The other standard streams may be sockets, which the
// resolver's filter would let it use.
std::vector<int> Kept(const ResolverEnds& ends, int ruleset) {
  std::vector<int> kept = {STDERR_FILENO, ends.questions.get(), ends.sockets.get()};
  if (ruleset >= 0) kept.push_back(ruleset);
  std::sort(kept.begin(), kept.end());
  return kept;
}

// Those that a terminal or an administrator sends to all processes of a group or of a name are for
// the broker: it reloads or drains, and needs its resolver while it does. Its end is ours.
void IgnoreSignals() {
  for (const int number : {SIGINT, SIGHUP, SIGTERM}) signal(number, SIG_IGN);
}

[[noreturn]] void RunChild(const ResolverOptions& options, const confine::ProcessCage& cage,
                           ResolverEnds ends, pid_t keeper) noexcept {
  ResetSignals();
  IgnoreSignals();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The keeper may have died before prctl: then no signal will come.
  if (getppid() != keeper) _exit(EXIT_SUCCESS);
  const std::vector<int> kept = Kept(ends, cage.descriptor());
  if (CloseAllDescriptorsBut(kept) != 0 || FillStandardStreams() != 0) _exit(EXIT_FAILURE);
  RunResolver(options, cage, std::move(ends));
}

class Keeper {
 public:
  Keeper(ResolverOptions options, KeeperCages cages, UniqueFd control)
      : options_(std::move(options)),
        cages_(std::move(cages)),
        control_(std::move(control)),
        children_(WatchChildren()) {}

  // Before Run(). False: it must not go on.
  bool Confine() {
    if (!children_.valid()) return false;
    const absl::Status status =
        cages_.keeper.has_value() ? cages_.keeper->PutOn() : absl::OkStatus();
    cages_.keeper.reset();
    if (!status.ok()) {
      std::fprintf(stderr, "sockgate keeper: %s\n", std::string(status.message()).c_str());
      return false;
    }
    const auto tag = static_cast<uint8_t>(HandedOver::kConfined);
    return SendPacket(control_.get(), absl::MakeConstSpan(&tag, 1), -1, Wait::kNo).status ==
           PacketStatus::kOk;
  }

  // Returns when the broker has ended.
  void Run() {
    while (Turn()) {
    }
    KillResolver();
  }

 private:
  bool Turn() {
    if (resolver_ < 0 && Clock::now() >= next_start_) StartResolver();
    pollfd watched[] = {{control_.get(), POLLIN, 0}, {children_.get(), POLLIN, 0}};
    const int ready = poll(watched, 2, resolver_ < 0 ? UntilNextStart() : -1);
    if (ready < 0) return errno == EINTR;
    if (watched[1].revents != 0) OnChildEnded();
    return watched[0].revents == 0 || TakeOrder();
  }

  int UntilNextStart() const {
    const auto left = std::chrono::ceil<milliseconds>(next_start_ - Clock::now());
    return std::max(0, static_cast<int>(left.count()));
  }

  void StartResolver() {
    started_ = Clock::now();
    auto questions = MakeChannelPair();
    auto sockets = MakeChannelPair();
    if (!questions.has_value() || !sockets.has_value()) return Postpone();
    for (const int end : {questions->broker.get(), questions->worker.get()}) {
      setsockopt(end, SOL_SOCKET, SO_SNDBUF, &kQuestionBytes, sizeof(kQuestionBytes));
    }
    const pid_t keeper = getpid();
    resolver_ = ForkWithoutSignals();
    if (resolver_ < 0) return Postpone();
    if (resolver_ == 0) {
      RunChild(options_, cages_.resolver,
               {std::move(questions->worker), std::move(sockets->worker)}, keeper);
    }
    HandOver(HandedOver::kQuestions, questions->broker);
    HandOver(HandedOver::kSockets, sockets->broker);
  }

  // Waits for room, for the broker reads before long or ends.
  void HandOver(HandedOver what, const UniqueFd& end) {
    const auto tag = static_cast<uint8_t>(what);
    while (true) {
      const Sent sent =
          SendPacket(control_.get(), absl::MakeConstSpan(&tag, 1), end.get(), Wait::kNo);
      if (sent.status != PacketStatus::kWouldBlock && sent.status != PacketStatus::kInFlight) {
        return;
      }
      pollfd hung_up = {control_.get(), 0, 0};
      poll(&hung_up, 1, static_cast<int>(kShortestPause.count()));
    }
  }

  void OnChildEnded() {
    signalfd_siginfo drained;
    while (read(children_.get(), &drained, sizeof(drained)) > 0) {
    }
    if (resolver_ < 0 || waitpid(resolver_, nullptr, WNOHANG) != resolver_) return;
    resolver_ = -1;
    Postpone();
  }

  void Postpone() {
    const auto now = Clock::now();
    if (now - started_ > kLongestPause) pause_ = kShortestPause;
    next_start_ = now + pause_;
    pause_ = std::min(2 * pause_, kLongestPause);
  }

  // False when there will be no more orders.
  bool TakeOrder() {
    std::vector<uint8_t> buffer(kMaxKeeperOrderBytes);
    const Received received =
        ReceivePacket(control_.get(), absl::MakeSpan(buffer), Accept::kNoDescriptor, Wait::kNo);
    if (received.status == PacketStatus::kWouldBlock) return true;
    if (received.status != PacketStatus::kOk) return false;
    KeeperOrder order;
    if (!DecodeKeeperOrder(absl::MakeConstSpan(buffer).first(received.size), &order).ok()) {
      return false;
    }
    if (!order.options.has_value()) {
      if (resolver_ > 0) kill(resolver_, SIGKILL);  // OnChildEnded() sees to the rest
      return true;
    }
    options_ = *std::move(order.options);
    KillResolver();
    pause_ = kShortestPause;
    next_start_ = Clock::time_point::min();
    return true;
  }

  void KillResolver() {
    if (resolver_ < 0) return;
    kill(resolver_, SIGKILL);
    while (waitpid(resolver_, nullptr, 0) < 0 && errno == EINTR) {
    }
    resolver_ = -1;
  }

  ResolverOptions options_;
  KeeperCages cages_;
  const UniqueFd control_;
  const UniqueFd children_;
  pid_t resolver_ = -1;
  Clock::time_point started_ = {};
  Clock::time_point next_start_ = Clock::time_point::min();
  milliseconds pause_ = kShortestPause;
};

}  // namespace

void RunKeeper(const ResolverOptions& options, KeeperCages cages, UniqueFd control) {
  IgnoreSignals();
  Keeper keeper(options, std::move(cages), std::move(control));
  if (!keeper.Confine()) _exit(EXIT_FAILURE);
  keeper.Run();
  _exit(EXIT_SUCCESS);
}

}  // namespace sockgate
