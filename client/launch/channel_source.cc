#include "client/launch/channel_source.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "client/broker_path.h"
#include "proto/endpoint.h"
#include "proto/packet_socket.h"

namespace sockgate::launch {
namespace {

using Clock = std::chrono::steady_clock;

// Others may be waiting for the launcher.
constexpr int kMostAtOnce = 16;

}  // namespace

absl::StatusOr<ChannelSource> ChannelSource::Make(std::string path) {
  if (!Endpoint::Unix(path).has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' cannot be a socket's path"));
  }
  // The broker's end of a pair refuses descriptors, and takes in little that is not read.
  auto pair = MakeChannelPair();
  if (!pair.has_value()) return absl::ErrnoToStatus(errno, "cannot make a channel source");
  return ChannelSource(std::move(path), std::move(pair->broker), std::move(pair->worker));
}

absl::StatusOr<UniqueFd> ChannelSource::Connect() const {
  return ConnectToBroker(path_, Clock::time_point::min());
}

ChannelSource::Conduct ChannelSource::Serve() {
  if (!end_.valid()) return Conduct::kGone;
  // One byte more than is ever said.
  std::array<uint8_t, 2> said = {};
  for (int i = 0; i < kMostAtOnce; ++i) {
    const Received received =
        ReceivePacket(end_.get(), absl::MakeSpan(said), Accept::kNoDescriptor, Wait::kNo);
    if (received.status == PacketStatus::kWouldBlock) break;
    if (received.status == PacketStatus::kClosed) return End(Conduct::kGone);
    const bool asks =
        received.status == PacketStatus::kOk && received.size == 1 && said[0] == kAskForChannel;
    if (!asks || !Answer()) return End(Conduct::kBad);
  }
  return Conduct::kGood;
}

// False: it misbehaves.
bool ChannelSource::Answer() {
  if (!MayAskNow()) return ++refusals_ < kMostRefusals && Send(SourceAnswer::kTooOften, -1);
  const absl::StatusOr<UniqueFd> channel = Connect();
  if (!channel.ok()) return Send(SourceAnswer::kNoBroker, -1);
  refusals_ = 0;
  return Send(SourceAnswer::kChannel, channel->get());
}

bool ChannelSource::MayAskNow() {
  const Clock::time_point now = Clock::now();
  if (due_ > now + (kBurst - 1) * kInterval) return false;
  due_ = std::max(due_, now) + kInterval;
  return true;
}

// No room: it asks and does not read.
bool ChannelSource::Send(SourceAnswer answer, int channel) {
  const auto said = static_cast<uint8_t>(answer);
  const PacketStatus status = SendPacket(end_.get(), {&said, 1}, channel, Wait::kNo).status;
  // The user has too many descriptors in flight, which passes.
  if (status == PacketStatus::kInFlight) return Send(SourceAnswer::kNoBroker, -1);
  // One that has just gone is found out at the next receive.
  return status == PacketStatus::kOk || status == PacketStatus::kClosed;
}

ChannelSource::Conduct ChannelSource::End(Conduct conduct) {
  end_.Reset();
  return conduct;
}

absl::StatusOr<ExitStatus> ChannelSource::Wait(Worker& worker) {
  while (descriptor() >= 0) {
    pollfd watched[] = {{descriptor(), POLLIN, 0}, {worker.pidfd(), POLLIN, 0}};
    if (poll(watched, 2, -1) < 0) {
      if (errno != EINTR) return absl::ErrnoToStatus(errno, "cannot wait for the worker");
      continue;
    }
    if (watched[1].revents != 0) break;
    if (Serve() == Conduct::kBad) worker.Kill();
  }
  return worker.Wait();
}

}  // namespace sockgate::launch
