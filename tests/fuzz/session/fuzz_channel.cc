#include "tests/fuzz/session/fuzz_channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "proto/check.h"
#include "proto/codec.h"
#include "proto/packet_socket.h"

namespace sockgate::fuzz {
namespace {

constexpr size_t kHelloIndex = 0;

// SendPacket() is for packets that are some.
bool SendAnything(int socket, const Packet& packet, int descriptor) {
  Packet copy = packet;
  iovec part = {copy.data(), copy.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof(descriptor));
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

Result ResultOf(const Reply& reply) {
  if (const auto* connect = std::get_if<ConnectReply>(&reply.body)) return connect->result;
  if (const auto* resolve = std::get_if<ResolveReply>(&reply.body)) return resolve->result;
  if (const auto* opened = std::get_if<OpenChannelReply>(&reply.body)) return opened->result;
  return {};
}

bool HasCommonVersion(const Hello& hello) {
  return hello.oldest_version <= kNewestVersion && hello.newest_version >= kOldestVersion;
}

}  // namespace

Packet FuzzChannel::Encoded(uint32_t id, const RequestBody& body) {
  Packet packet(kMaxPacketBytes);
  packet.resize(EncodeRequest({id, body}, absl::MakeSpan(packet)));
  SOCKGATE_CHECK(!packet.empty());
  return packet;
}

void FuzzChannel::Send(const Packet& packet, int descriptor) {
  if (open() && SendAnything(end_.get(), packet, descriptor)) Foresee(packet, descriptor);
}

void FuzzChannel::Foresee(const Packet& packet, int descriptor) {
  if (doomed_) return;
  Request request;
  doomed_ = descriptor >= 0 || packet.empty() || packet.size() > kMaxPacketBytes ||
            !DecodeRequest(packet, &request).ok();
  if (!doomed_) ForeseeRequest(request);
}

void FuzzChannel::ForeseeRequest(const Request& request) {
  const bool hello = request.body.index() == kHelloIndex;
  doomed_ = hello == greeted_ || request.id != next_id();
  if (doomed_) return;
  Asked asked;
  asked.kind = request.body.index();
  const auto* connect = std::get_if<ConnectRequest>(&request.body);
  asked.may_be_going = connect != nullptr && connect->mode == ConnectMode::kInProgress;
  asked_.push_back(asked);
  if (!hello) return;
  greeted_ = HasCommonVersion(std::get<Hello>(request.body));
  doomed_ = !greeted_;
}

bool FuzzChannel::Read(const std::function<void(UniqueFd end)>& minted) {
  if (!open()) return false;
  std::array<uint8_t, kMaxPacketBytes> buffer;
  Received received =
      ReceivePacket(end_.get(), absl::MakeSpan(buffer), Accept::kOneDescriptor, Wait::kNo);
  if (received.status == PacketStatus::kWouldBlock) return false;
  if (received.status == PacketStatus::kClosed) {
    SOCKGATE_CHECK(doomed_ || unread_);
    Close();
    return true;
  }
  SOCKGATE_CHECK(received.status == PacketStatus::kOk);
  Take(absl::MakeConstSpan(buffer).first(received.size), std::move(received.fd), minted);
  return true;
}

void FuzzChannel::Take(absl::Span<const uint8_t> packet, UniqueFd descriptor,
                       const std::function<void(UniqueFd end)>& minted) {
  Reply reply;
  SOCKGATE_CHECK(DecodeReply(packet, &reply).ok());
  SOCKGATE_CHECK(reply.id >= 1 && reply.id <= asked_.size());
  Asked& asked = asked_[reply.id - 1];
  SOCKGATE_CHECK(!asked.answered);
  SOCKGATE_CHECK(asked.kind == reply.body.index());
  asked.answered = true;
  asked.result = ResultOf(reply);
  SOCKGATE_CHECK(descriptor.valid() == CarriesDescriptor(asked.result.outcome));
  SOCKGATE_CHECK(asked.result.outcome != Outcome::kStarted || asked.may_be_going);
  if (asked.result.outcome == Outcome::kOpened) minted(std::move(descriptor));
}

void FuzzChannel::NoteTime() {
  if (!open()) return;
  pollfd entry = {end_.get(), POLLIN, 0};
  unread_ = unread_ || poll(&entry, 1, 0) == 1;
}

void FuzzChannel::Close() {
  end_.Reset();
  doomed_ = true;
}

size_t FuzzChannel::unanswered() const {
  return static_cast<size_t>(
      std::count_if(asked_.begin(), asked_.end(), [](const Asked& one) { return !one.answered; }));
}

}  // namespace sockgate::fuzz
