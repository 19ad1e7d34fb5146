#include "client/launch/pool/seat.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "client/pool/transfer_codec.h"

namespace sockgate::launch {
namespace {

// All that a worker with so many jobs may have said and the launcher not read.
uint64_t MostUnread(size_t jobs) {
  constexpr uint64_t kInTheKernel = uint64_t{1024} * 1024;
  return kMaxUnsentBytes + kInTheKernel + jobs * (kMaxHeadPayload + kMaxResultPayload);
}

}  // namespace

absl::StatusOr<UniqueFd> Seat::Open(uint32_t worker) {
  std::array<int, 2> ends;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return absl::ErrnoToStatus(errno, "socketpair");
  }
  *this = Seat();
  state_ = State::kStarting;
  worker_ = worker;
  stream_.Reset(ends[0]);
  return UniqueFd(ends[1]);
}

void Seat::Order(TransferId id, const Transfer& transfer, bool alone) {
  load_.push_back(id);
  alone_ = alone;
  ++ordered_;
  writer_.Put(FrameType::kOrder, id, EncodeTransfer(transfer));
}

void Seat::Cancel(TransferId id) { writer_.Put(FrameType::kCancel, id); }

void Seat::Done(TransferId id) {
  load_.erase(std::remove(load_.begin(), load_.end(), id), load_.end());
  if (load_.empty()) alone_ = false;
}

void Seat::Flush() { writer_.Flush(stream_.get()); }

Seat::Received Seat::Receive() {
  const absl::Span<uint8_t> room = reader_.Room();
  const ssize_t got = recv(stream_.get(), room.data(), room.size(), MSG_DONTWAIT);
  if (got == 0) return Received::kClosed;
  if (got < 0) return errno == EAGAIN || errno == EINTR ? Received::kNothing : Received::kClosed;
  reader_.Got(static_cast<size_t>(got));
  received_bytes_ += static_cast<uint64_t>(got);
  return Received::kSome;
}

bool Seat::Hangs(bool late, std::chrono::milliseconds grace, size_t jobs) {
  if (!late) {
    late_since_.reset();
    return false;
  }
  const auto now = std::chrono::steady_clock::now();
  if (!late_since_) {
    late_since_ = now;
    received_bytes_ = 0;
  }
  const bool may_answer = now < *late_since_ + grace || HasBytes();
  return !may_answer || received_bytes_ > MostUnread(jobs);
}

bool Seat::HasBytes() const {
  pollfd stream = {stream_.get(), POLLIN, 0};
  return poll(&stream, 1, 0) > 0;
}

void Seat::Close() {
  stream_.Reset();
  state_ = State::kEnding;
}

void Seat::Leave() { *this = Seat(); }

}  // namespace sockgate::launch
