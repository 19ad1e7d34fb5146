#include "broker/resolver/resolver_keeper.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "broker/resolver/keeper_confine.h"
#include "broker/resolver/keeper_orders.h"
#include "broker/resolver/keeper_process.h"
#include "broker/resolver/resolver_confine.h"
#include "proto/fresh_child.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

using confine::CageLevel;

// How long the keeper may take to end after its control socket has closed.
constexpr std::chrono::seconds kStopPatience(3);
constexpr std::chrono::milliseconds kStopPoll(1);

bool Reaped(pid_t pid) {
  const pid_t ended = waitpid(pid, nullptr, WNOHANG);
  return ended == pid || (ended < 0 && errno == ECHILD);
}

// noexcept: an exception must not unwind into the broker's half of the program.
[[noreturn]] void RunChild(const ResolverOptions& options, KeeperCages cages,
                           UniqueFd control) noexcept {
  ResetSignals();
  std::vector<int> kept = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, control.get()};
  if (cages.resolver.descriptor() >= 0) kept.push_back(cages.resolver.descriptor());
  if (cages.keeper.has_value() && cages.keeper->descriptor() >= 0) {
    kept.push_back(cages.keeper->descriptor());
  }
  std::sort(kept.begin(), kept.end());
  if (CloseAllDescriptorsBut(kept) != 0) _exit(EXIT_FAILURE);
  RunKeeper(options, std::move(cages), std::move(control));
}

absl::StatusOr<KeeperCages> BuildCages(CageLevel level, const ResolverOptions& options) {
  auto resolver = BuildResolverCage(level);
  if (!resolver.ok()) return resolver.status();
  KeeperCages cages = {std::nullopt, *std::move(resolver)};
  if (level == CageLevel::kNone) return cages;
  auto keeper = BuildKeeperCage(level, options);
  if (!keeper.ok()) return keeper.status();
  cages.keeper.emplace(*std::move(keeper));
  return cages;
}

}  // namespace

absl::StatusOr<ResolverKeeper> ResolverKeeper::Start(const ResolverOptions& options,
                                                     CageLevel level) {
  if (absl::Status status = CheckResolverOptions(options); !status.ok()) return status;
  auto cages = BuildCages(level, options);
  if (!cages.ok()) return cages.status();
  // Or the control socket could become the child's standard error.
  if (const int error = FillStandardStreams()) return absl::ErrnoToStatus(error, "/dev/null");
  // The end that may receive descriptors is the one made for workers.
  auto pair = MakeChannelPair();
  if (!pair.has_value()) return absl::ErrnoToStatus(errno, "cannot make a control socket");
  const pid_t pid = ForkWithoutSignals();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) RunChild(options, *std::move(cages), std::move(pair->broker));
  pair->broker.Reset();  // or its end would not show
  ResolverKeeper keeper(pid, std::move(pair->worker));
  if (absl::Status status = keeper.AwaitConfined(); !status.ok()) return status;
  return keeper;
}

absl::Status ResolverKeeper::AwaitConfined() {
  std::array<uint8_t, 1> tag = {};
  Received received;
  do {
    received =
        ReceivePacket(control_.get(), absl::MakeSpan(tag), Accept::kOneDescriptor, Wait::kYes);
  } while (received.status == PacketStatus::kWouldBlock);
  if (received.status == PacketStatus::kOk &&
      tag[0] == static_cast<uint8_t>(HandedOver::kConfined)) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError("the resolver's keeper could not confine itself");
}

ResolverKeeper::ResolverKeeper(ResolverKeeper&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      control_(std::move(other.control_)),
      arriving_(std::move(other.arriving_)) {}

ResolverKeeper& ResolverKeeper::operator=(ResolverKeeper&& other) noexcept {
  if (this != &other) {
    Stop();
    pid_ = std::exchange(other.pid_, -1);
    control_ = std::move(other.control_);
    arriving_ = std::move(other.arriving_);
  }
  return *this;
}

absl::StatusOr<ResolverChannels> ResolverKeeper::Take() {
  ResolverChannels newest;
  absl::Status status = ReceiveOne();
  for (; status.ok(); status = ReceiveOne()) {
    if (arriving_.sockets.valid()) newest = std::exchange(arriving_, ResolverChannels());
  }
  if (newest.sockets.valid()) return newest;
  return status;
}

// One of the two descriptors of a pair: questions first.
absl::Status ResolverKeeper::ReceiveOne() {
  std::array<uint8_t, 1> tag;
  Received received =
      ReceivePacket(control_.get(), absl::MakeSpan(tag), Accept::kOneDescriptor, Wait::kNo);
  if (received.status == PacketStatus::kWouldBlock) {
    return absl::UnavailableError("no resolver is ready");
  }
  if (received.status == PacketStatus::kTableFull) {
    // Half a pair is of no use; the next resolver may find room.
    arriving_ = ResolverChannels();
    Kill();
    return absl::UnavailableError("no descriptor is left for the resolver's channel");
  }
  if (received.status != PacketStatus::kOk || !received.fd.valid()) {
    return absl::AbortedError("the resolver's keeper has ended");
  }
  if (tag[0] == static_cast<uint8_t>(HandedOver::kQuestions)) {
    arriving_ = ResolverChannels{std::move(received.fd), UniqueFd()};
  } else if (arriving_.questions.valid()) {
    arriving_.sockets = std::move(received.fd);
  }
  return absl::OkStatus();
}

absl::Status ResolverKeeper::Restart(const ResolverOptions& options) {
  if (absl::Status status = CheckResolverOptions(options); !status.ok()) return status;
  std::vector<uint8_t> packet(kMaxKeeperOrderBytes);
  const size_t size = EncodeKeeperOrder(KeeperOrder{options}, absl::MakeSpan(packet));
  return Order(absl::MakeConstSpan(packet).first(size));
}

void ResolverKeeper::Kill() {
  std::array<uint8_t, 8> packet;
  const size_t size = EncodeKeeperOrder(KeeperOrder(), absl::MakeSpan(packet));
  // A keeper that cannot be told has orders waiting already, or has ended and its resolver with it.
  Order(absl::MakeConstSpan(packet).first(size)).IgnoreError();
}

absl::Status ResolverKeeper::Order(absl::Span<const uint8_t> order) {
  const Sent sent = SendPacket(control_.get(), order, -1, Wait::kNo);
  if (sent.status == PacketStatus::kOk) return absl::OkStatus();
  return absl::ErrnoToStatus(sent.error, "the resolver's keeper cannot be told");
}

void ResolverKeeper::Stop() {
  control_.Reset();
  if (pid_ < 0) return;
  const auto give_up = std::chrono::steady_clock::now() + kStopPatience;
  while (!Reaped(pid_)) {
    // A confined broker may not send signals. The keeper has no use without it and ends when it can.
    if (std::chrono::steady_clock::now() >= give_up && kill(pid_, SIGKILL) != 0) break;
    std::this_thread::sleep_for(kStopPoll);
  }
  pid_ = -1;
}

}  // namespace sockgate
