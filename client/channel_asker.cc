#include "client/channel_asker.h"

#include <array>
#include <cstdint>

#include "proto/handover.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

bool Passed(ChannelAsker::TimePoint give_up) { return std::chrono::steady_clock::now() >= give_up; }

absl::Status NoAnswer() { return absl::DeadlineExceededError("the launcher did not answer"); }

absl::Status Ended() {
  return absl::FailedPreconditionError("the launcher gives no channels any more");
}

absl::StatusOr<UniqueFd> Judge(Received* received, uint8_t said) {
  if (received->size != 1) return Ended();
  const auto answer = static_cast<SourceAnswer>(said);
  if (answer == SourceAnswer::kChannel && received->fd.valid()) return std::move(received->fd);
  if (received->fd.valid()) return Ended();
  if (answer == SourceAnswer::kNoBroker) return absl::UnavailableError("no broker listens");
  if (answer == SourceAnswer::kTooOften) return absl::UnavailableError("asked too often");
  return Ended();
}

}  // namespace

absl::StatusOr<UniqueFd> ChannelAsker::Ask(TimePoint give_up) {
  if (absl::Status sent = Send(give_up); !sent.ok()) return sent;
  // One byte more than is ever said.
  std::array<uint8_t, 2> said = {};
  while (true) {
    Received received =
        ReceivePacket(socket_.get(), absl::MakeSpan(said), Accept::kOneDescriptor, Wait::kYes);
    switch (received.status) {
      case PacketStatus::kOk:
        asked_ = false;
        return Judge(&received, said[0]);
      case PacketStatus::kTableFull:
        asked_ = false;
        return absl::ResourceExhaustedError("no descriptor left for the channel");
      case PacketStatus::kWouldBlock:
        if (Passed(give_up)) return NoAnswer();
        continue;
      default:
        return Ended();
    }
  }
}

absl::Status ChannelAsker::Send(TimePoint give_up) {
  while (!asked_) {
    switch (SendPacket(socket_.get(), {&kAskForChannel, 1}, -1, Wait::kYes).status) {
      case PacketStatus::kOk:
        asked_ = true;
        break;
      case PacketStatus::kWouldBlock:
        if (Passed(give_up)) return NoAnswer();
        break;
      default:
        return Ended();
    }
  }
  return absl::OkStatus();
}

}  // namespace sockgate
