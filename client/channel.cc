#include "client/channel.h"

#include <sys/socket.h>

#include <utility>
#include <variant>

#include "proto/codec.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;

// The clock is read only when a wait has already lasted a tick.
bool Passed(std::chrono::steady_clock::time_point give_up) {
  return std::chrono::steady_clock::now() >= give_up;
}

const Result* ResultOf(const Reply& reply) {
  if (const auto* connect = std::get_if<ConnectReply>(&reply.body)) return &connect->result;
  if (const auto* resolve = std::get_if<ResolveReply>(&reply.body)) return &resolve->result;
  if (const auto* open = std::get_if<OpenChannelReply>(&reply.body)) return &open->result;
  return nullptr;
}

// A reply and its descriptor must agree, or the worker would take one thing for another.
bool Agrees(const Reply& reply, bool has_descriptor) {
  const Result* result = ResultOf(reply);
  return has_descriptor == (result != nullptr && CarriesDescriptor(result->outcome));
}

}  // namespace

Kind Channel::Call(const decltype(Request::body)& body, std::chrono::milliseconds deadline,
                   Reply* reply, UniqueFd* descriptor) {
  const TimePoint give_up = std::chrono::steady_clock::now() + deadline;
  const Request request = {++last_id_, body};
  Kind kind = SendBy(request, give_up);
  sent_ = kind == Kind::kNone;
  while (kind == Kind::kNone) {
    kind = Receive(give_up, reply, descriptor);
    if (kind != Kind::kNone && kind != Kind::kTableFull) break;
    const bool of_this_kind = reply->body.index() == request.body.index();
    if (reply->id == request.id && of_this_kind) return kind;
    Drop(*reply, descriptor);
    // Only a request that was given up may have an answer still to come.
    if (reply->id == request.id || !HasAsked(reply->id)) return Kind::kBadReply;
    kind = Kind::kNone;
  }
  return kind;
}

Kind Channel::Start(const decltype(Request::body)& body, uint32_t* id) {
  *id = ++last_id_;
  return Send({*id, body}, Wait::kNo);
}

void Channel::Drop(const Reply& reply, UniqueFd* descriptor) {
  const auto* connect = std::get_if<ConnectReply>(&reply.body);
  if (connect != nullptr && connect->tracked) shutdown(descriptor->get(), SHUT_RDWR);
  descriptor->Reset();
}

// First nothing more can come, so that nothing comes after the look at what is there.
void Channel::Abandon() {
  shutdown(socket_.get(), SHUT_RDWR);
  const TimePoint now = std::chrono::steady_clock::now();
  Reply reply;
  UniqueFd late;
  while (Receive(now, &reply, &late) == Kind::kNone) Drop(reply, &late);
  Close();
}

Kind Channel::SendBy(const Request& request, TimePoint give_up) {
  while (true) {
    const Kind kind = Send(request, Wait::kYes);
    if (kind != Kind::kNoAnswer || Passed(give_up)) return kind;
    ++last_id_;
  }
}

// What never left takes its id back.
Kind Channel::Send(const Request& request, Wait wait) {
  std::array<uint8_t, kMaxPacketBytes> buffer;
  const size_t size = EncodeRequest(request, absl::MakeSpan(buffer));
  if (size == 0) {
    --last_id_;
    return Kind::kBadRequest;
  }
  const auto packet = absl::MakeConstSpan(buffer.data(), size);
  ++owed_;
  const Sent sent = SendPacket(socket_.get(), packet, -1, wait);
  if (sent.status == PacketStatus::kOk) return Kind::kNone;
  --owed_;
  if (sent.status != PacketStatus::kWouldBlock) return Kind::kBrokerGone;
  --last_id_;
  return Kind::kNoAnswer;
}

Kind Channel::Receive(TimePoint give_up, Reply* reply, UniqueFd* descriptor) {
  while (true) {
    const Kind kind = Next(Wait::kYes, reply, descriptor);
    if (kind != Kind::kNoAnswer || Passed(give_up)) return kind;
  }
}

Kind Channel::Next(Wait wait, Reply* reply, UniqueFd* descriptor) {
  Received received =
      ReceivePacket(socket_.get(), absl::MakeSpan(buffer_), Accept::kOneDescriptor, wait);
  switch (received.status) {
    case PacketStatus::kOk:
    case PacketStatus::kTableFull: {
      const bool table_full = received.status == PacketStatus::kTableFull;
      const auto packet = absl::MakeConstSpan(buffer_.data(), received.size);
      if (!DecodeReply(packet, reply).ok()) return Kind::kBadReply;
      if (!Agrees(*reply, received.fd.valid() || table_full)) return Kind::kBadReply;
      if (owed_ > 0) --owed_;
      *descriptor = std::move(received.fd);
      return table_full ? Kind::kTableFull : Kind::kNone;
    }
    case PacketStatus::kWouldBlock:
      return Kind::kNoAnswer;
    case PacketStatus::kDescriptors:
    case PacketStatus::kTruncated:
      return Kind::kBadReply;
    default:
      return Kind::kBrokerGone;
  }
}

}  // namespace sockgate
