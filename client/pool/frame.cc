#include "client/pool/frame.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "client/pool/transfer_codec.h"
#include "client/pool/transfer_limits.h"
#include "proto/bytes.h"

namespace sockgate {
namespace {

struct Kind {
  FrameType type;
  Side from;
  size_t least;
  size_t most;  // bytes of payload
};

constexpr std::array<Kind, 5> kKinds = {{
    {FrameType::kOrder, Side::kLauncher, 1, kMaxTransferPayload},
    {FrameType::kCancel, Side::kLauncher, 0, 0},
    {FrameType::kHead, Side::kWorker, 1, kMaxHeadPayload},
    {FrameType::kBody, Side::kWorker, 1, kMaxPieceBytes},
    {FrameType::kDone, Side::kWorker, 1, kMaxResultPayload},
}};

const Kind* Find(uint8_t type, Side from) {
  const auto* found = std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& kind) {
    return static_cast<uint8_t>(kind.type) == type && kind.from == from;
  });
  return found == kKinds.end() ? nullptr : found;
}

}  // namespace

absl::Span<uint8_t> FrameReader::Room() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, unread());
    end_ -= begin_;
    begin_ = 0;
  }
  // What a long frame took is given back after it.
  if (end_ == 0 && buffer_.size() > kReadBytes) buffer_ = {};
  const size_t size = std::max(kReadBytes, wanted_);
  if (buffer_.size() < size) buffer_.resize(size);
  return absl::MakeSpan(buffer_).subspan(end_);
}

FrameReader::Outcome FrameReader::Next(Frame* frame) {
  if (fault_ != nullptr) return Outcome::kBad;
  if (unread() < kFrameHeaderBytes) return Outcome::kMore;
  ByteReader in(absl::MakeConstSpan(buffer_).subspan(begin_, kFrameHeaderBytes));
  const uint32_t size = in.U32("length");
  const uint8_t type = in.U8("type");
  in.Zeros("reserved", 3);
  const uint64_t low = in.U32("id");
  const uint64_t id = low | uint64_t{in.U32("id")} << 32;
  if (!in.ok()) return Refuse(in.failed_field());
  const Kind* kind = Find(type, from_);
  if (kind == nullptr) return Refuse("type");
  if (size < kind->least || size > kind->most) return Refuse("length");
  wanted_ = kFrameHeaderBytes + size;
  if (unread() < wanted_) return Outcome::kMore;
  const auto* payload = reinterpret_cast<const char*>(buffer_.data()) + begin_ + kFrameHeaderBytes;
  *frame = {kind->type, id, {payload, size}};
  begin_ += wanted_;
  wanted_ = kFrameHeaderBytes;
  return Outcome::kFrame;
}

FrameReader::Outcome FrameReader::Refuse(const char* fault) {
  fault_ = fault;
  return Outcome::kBad;
}

void FrameWriter::Put(FrameType type, TransferId id, absl::string_view payload) {
  std::array<uint8_t, kFrameHeaderBytes> header;
  ByteWriter out(absl::MakeSpan(header));
  out.U32(static_cast<uint32_t>(payload.size()));
  out.U8(static_cast<uint8_t>(type));
  out.Zeros(3);
  out.U32(static_cast<uint32_t>(id));
  out.U32(static_cast<uint32_t>(id >> 32));
  bytes_.append(reinterpret_cast<const char*>(header.data()), header.size());
  bytes_.append(payload.data(), payload.size());
}

FrameWriter::Outcome FrameWriter::Flush(int socket) {
  while (unsent() > 0) {
    const ssize_t sent = send(socket, bytes_.data() + sent_, unsent(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) break;
    if (sent < 0) return Outcome::kGone;
    sent_ += static_cast<size_t>(sent);
  }
  if (unsent() == 0) {
    bytes_.clear();
    sent_ = 0;
    // What one long order took is given back after it.
    if (bytes_.capacity() > (size_t{1} << 20)) bytes_.shrink_to_fit();
    return Outcome::kAll;
  }
  if (sent_ > unsent()) {
    bytes_.erase(0, sent_);
    sent_ = 0;
  }
  return Outcome::kSome;
}

}  // namespace sockgate
