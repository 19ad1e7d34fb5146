#include "tests/client/fake_resolver.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "proto/codec.h"

namespace sockgate::testing {
namespace {

// The outcome of a connect, with its socket in `descriptor`.
ConnectReply Connect(const ConnectRequest& request, UniqueFd* descriptor) {
  ConnectReply reply;
  sockaddr_storage address;
  const socklen_t length = request.endpoint.ToSockaddr(&address);
  UniqueFd made(socket(request.endpoint.address_family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(made.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) {
    reply.result.error = static_cast<uint32_t>(errno);
    return reply;
  }
  *descriptor = std::move(made);
  const bool started = request.mode == ConnectMode::kInProgress;
  reply.result.outcome = started ? Outcome::kStarted : Outcome::kConnected;
  return reply;
}

const char* FamilyWord(NameFamily family) {
  if (family == NameFamily::kAny) return " any";
  return family == NameFamily::kIpv4 ? " v4" : " v6";
}

}  // namespace

ResolveReply Addresses(const std::vector<std::string>& literals) {
  ResolveReply reply;
  reply.result.outcome = Outcome::kResolved;
  reply.ttl_seconds = 60;
  for (const std::string& literal : literals) {
    const IpAddress ip = *IpAddress::Parse(literal);
    if (ip.is_v4()) {
      reply.v4[reply.v4_count++] = ip;
    } else {
      reply.v6[reply.v6_count++] = ip;
    }
  }
  return reply;
}

ResolveReply Refusal(Outcome outcome, Reason reason, uint32_t rule) {
  ResolveReply reply;
  reply.result.outcome = outcome;
  reply.result.reason = reason;
  reply.result.rule = rule;
  if (outcome == Outcome::kLimited) reply.result.retry_after_ms = 100;
  return reply;
}

ResolveReply Failure(int error) {
  ResolveReply reply;
  reply.result.error = static_cast<uint32_t>(error);
  return reply;
}

FakeResolver::FakeResolver() {
  auto pair = MakeChannelPair();
  EXPECT_TRUE(pair.has_value());
  ends_.push_back(std::move(pair->broker));
  worker_end_ = std::move(pair->worker);
}

void FakeResolver::Start() {
  thread_ = std::thread([this] { Serve(); });
}

void FakeResolver::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  ends_.clear();
}

std::vector<std::string> FakeResolver::asked() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return asked_;
}

void FakeResolver::Serve() {
  while (!stop_) {
    std::vector<pollfd> entries;
    for (const UniqueFd& end : ends_) entries.push_back({end.get(), POLLIN, 0});
    poll(entries.data(), entries.size(), 20);
    for (size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].revents != 0 && !ServeOne(i)) ends_[i].Reset();
    }
  }
}

bool FakeResolver::ServeOne(size_t index) {
  std::array<uint8_t, kMaxPacketBytes> buffer;
  const int end = ends_[index].get();
  const Received received =
      ReceivePacket(end, absl::MakeSpan(buffer), Accept::kNoDescriptor, Wait::kNo);
  Request request;
  if (received.status != PacketStatus::kOk ||
      !DecodeRequest(absl::MakeConstSpan(buffer.data(), received.size), &request).ok()) {
    return received.status == PacketStatus::kWouldBlock;
  }
  Reply reply = {request.id, {}};
  UniqueFd descriptor;
  if (std::holds_alternative<Hello>(request.body)) {
    reply.body = HelloReply{kNewestVersion, capabilities_, 1};
  } else if (const auto* connect = std::get_if<ConnectRequest>(&request.body)) {
    reply.body = Connect(*connect, &descriptor);
  } else if (const auto* resolve = std::get_if<ResolveRequest>(&request.body)) {
    reply.body = Resolve(*resolve);
  } else {
    auto pair = MakeChannelPair();
    ends_.push_back(std::move(pair->broker));
    descriptor = std::move(pair->worker);
    OpenChannelReply opened;
    opened.result.outcome = Outcome::kOpened;
    reply.body = opened;
  }
  std::array<uint8_t, kMaxPacketBytes> packet;
  const size_t size = EncodeReply(reply, absl::MakeSpan(packet));
  EXPECT_NE(size, 0U);
  SendPacket(end, absl::MakeConstSpan(packet.data(), size), descriptor.get(), Wait::kYes);
  return true;
}

ResolveReply FakeResolver::Resolve(const ResolveRequest& request) {
  const std::string name(request.name);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    asked_.push_back(name + FamilyWord(request.family));
  }
  const auto found = table_.find(name);
  if (found == table_.end()) return Failure(ENOENT);
  ResolveReply reply = found->second;
  if (request.family == NameFamily::kIpv4) reply.v6_count = 0;
  if (request.family == NameFamily::kIpv6) reply.v4_count = 0;
  const bool resolved = reply.result.outcome == Outcome::kResolved;
  return resolved && reply.v4_count + reply.v6_count == 0 ? Failure(ENODATA) : reply;
}

}  // namespace sockgate::testing
