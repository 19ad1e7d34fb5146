#include "client/broker_client.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "proto/endpoint.h"
#include "proto/handover.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;
using Clock = std::chrono::steady_clock;

// How much longer than its own deadline the broker may take to say so.
constexpr std::chrono::milliseconds kReplyGrace(2000);

// PROTOCOL.md, "Resolve".
constexpr std::chrono::milliseconds kLongestLookup(kMaxLookupMs);

// Counts the forks between this process and the one that loaded the library, without a system call
// a request.
std::atomic<uint32_t> g_process_generation = 0;

uint32_t ProcessGeneration() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ++g_process_generation; });
  static_cast<void>(registered);
  return g_process_generation.load(std::memory_order_relaxed);
}

// What went wrong with a lookup, in its own words.
ConnectError LookupError(const Result& result) {
  ConnectError error = ConnectError::FromResult(result);
  if (error.kind != Kind::kNetwork) return error;
  error.kind = error.error_number == EOPNOTSUPP ? Kind::kNoResolver : Kind::kLookup;
  return error;
}

bool Passes(const ConnectError& error) {
  return error.kind == Kind::kLimited &&
         (error.reason == Reason::kLookups || error.reason == Reason::kRate ||
          error.reason == Reason::kDescriptors);
}

// What cannot be a name must not be sent: the broker would end the channel.
bool CanBeName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         name.find('\0') == absl::string_view::npos;
}

void TakeAnswer(Kind kind, const Reply& from, ConnectResult* result) {
  result->error = ConnectError::Local(kind);
  if (kind != Kind::kNone) return;
  const auto& reply = std::get<ConnectReply>(from.body);
  const Result& said = reply.result;
  result->error = ConnectError::FromResult(said);
  result->tracked = reply.tracked;
  result->started = said.outcome == Outcome::kStarted;
  result->rule = said.rule;
}

void TakeAnswer(Kind kind, const Reply& from, ResolveResult* result) {
  result->error = ConnectError::Local(kind);
  if (kind != Kind::kNone) return;
  const ResolveReply& reply = std::get<ResolveReply>(from.body);
  result->error = LookupError(reply.result);
  result->rule = reply.result.rule;
  if (!result->error.ok()) return;
  result->addresses.reserve(reply.v6_count + reply.v4_count);
  result->addresses.assign(reply.v6.begin(), reply.v6.begin() + reply.v6_count);
  result->addresses.insert(result->addresses.end(), reply.v4.begin(),
                           reply.v4.begin() + reply.v4_count);
  result->ttl_seconds = reply.ttl_seconds;
  result->canonical_name.assign(reply.canonical_name.data(), reply.canonical_name.size());
}

}  // namespace

BrokerClient::BrokerClient(UniqueFd channel)
    : process_generation_(ProcessGeneration()), channels_(std::move(channel)) {}

absl::StatusOr<std::unique_ptr<BrokerClient>> BrokerClient::FromDescriptor(UniqueFd channel) {
  int type = 0;
  socklen_t length = sizeof(type);
  if (getsockopt(channel.get(), SOL_SOCKET, SO_TYPE, &type, &length) != 0 ||
      type != SOCK_SEQPACKET) {
    return absl::InvalidArgumentError(
        absl::StrCat("descriptor ", channel.get(), " is not a SOCK_SEQPACKET socket"));
  }
  if (!PrepareWorkerEnd(channel.get())) return absl::ErrnoToStatus(errno, "cannot set a timeout");
  auto client = std::unique_ptr<BrokerClient>(new BrokerClient(std::move(channel)));
  if (absl::Status status = client->Greet(); !status.ok()) return status;
  return client;
}

absl::StatusOr<std::unique_ptr<BrokerClient>> BrokerClient::FromPath(const std::string& path) {
  const auto endpoint = Endpoint::Unix(path);
  if (!endpoint.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' cannot be a socket's path"));
  }
  UniqueFd channel(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!channel.valid()) return absl::ErrnoToStatus(errno, "cannot make a socket");
  sockaddr_storage address;
  const socklen_t length = endpoint->ToSockaddr(&address);
  if (connect(channel.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot reach the broker at ", path));
  }
  return FromDescriptor(std::move(channel));
}

absl::StatusOr<std::unique_ptr<BrokerClient>> BrokerClient::FromEnvironment() {
  const char* text = std::getenv(kChannelVariable);
  int fd;
  if (text == nullptr || !absl::SimpleAtoi(text, &fd) || fd < 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        kChannelVariable, " is not set to a descriptor: was this program started by a launcher?"));
  }
  unsetenv(kChannelVariable);
  // It came through an exec; another program must not get it too.
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return FromDescriptor(UniqueFd(fd));
}

absl::Status BrokerClient::Greet() {
  Reply reply;
  UniqueFd none;
  Hello hello;
  hello.capabilities = kCapabilityResolve;
  const Kind kind = channels_.CallFirst(hello, &reply, &none);
  if (kind != Kind::kNone) {
    return absl::UnavailableError(ConnectError::Local(kind).ToString());
  }
  const HelloReply& said = std::get<HelloReply>(reply.body);
  if (said.version == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the broker speaks none of this library's protocol versions, ", kOldestVersion,
                     " to ", kNewestVersion));
  }
  capabilities_ = said.capabilities;
  return absl::OkStatus();
}

ConnectResult BrokerClient::Connect(ConnectRequest request) {
  ConnectResult result;
  if (IsForked()) {
    result.error = ConnectError::Local(Kind::kBrokerGone);
    return result;
  }
  request.deadline_ms = std::clamp<uint32_t>(request.deadline_ms, 1, kMaxDeadlineMs);
  if (request.mode == ConnectMode::kInProgress) {
    StartConnect(request, &result);
  } else {
    AwaitConnect(request, &result);
  }
  return result;
}

// Never waits for what other threads wait for: a multi handle stands still meanwhile.
void BrokerClient::StartConnect(const ConnectRequest& request, ConnectResult* result) {
  Reply reply;
  std::unique_ptr<Channel> channel = channels_.Take(Clock::now(), &result->error);
  if (channel != nullptr) {
    const Kind kind = channel->Call(request, ChannelPool::kPatience, &reply, &result->socket);
    TakeAnswer(kind, reply, result);
    channels_.GiveBack(std::move(channel), kind);
  } else if (result->error.kind == Kind::kLimited) {
    TakeAnswer(channels_.CallFirst(request, &reply, &result->socket), reply, result);
  }
}

void BrokerClient::AwaitConnect(const ConnectRequest& request, ConnectResult* result) {
  const std::chrono::milliseconds deadline(request.deadline_ms);
  std::unique_ptr<Channel> channel = channels_.Take(Clock::now() + deadline, &result->error);
  if (channel == nullptr) return;
  Reply reply;
  const Kind kind = channel->Call(request, deadline + kReplyGrace, &reply, &result->socket);
  TakeAnswer(kind, reply, result);
  channels_.GiveBack(std::move(channel), kind);
}

// Over a limit that passes by itself another attempt is worth its time: lookups of other threads
// come to their ends.
ResolveResult BrokerClient::Resolve(absl::string_view name, NameFamily family) {
  const auto give_up = Clock::now() + kLongestLookup;
  while (true) {
    ResolveResult result = ResolveOnce(name, family, give_up);
    const std::chrono::milliseconds pause(result.error.retry_after_ms);
    if (!Passes(result.error) || Clock::now() + pause >= give_up) return result;
    std::this_thread::sleep_for(pause);
  }
}

ResolveResult BrokerClient::ResolveOnce(absl::string_view name, NameFamily family,
                                        ChannelPool::TimePoint give_up) {
  ResolveResult result;
  if (!resolves()) {
    result.error = ConnectError::Local(Kind::kNoResolver);
  } else if (!CanBeName(name)) {
    result.error = ConnectError::Local(Kind::kLookup, ENOENT);
  } else if (IsForked()) {
    result.error = ConnectError::Local(Kind::kBrokerGone);
  }
  if (!result.error.ok()) return result;
  std::unique_ptr<Channel> channel = channels_.Take(give_up, &result.error);
  if (channel == nullptr) return result;

  Reply reply;
  UniqueFd none;
  const ResolveRequest request = {family, name};
  const Kind kind = channel->Call(request, kLongestLookup + kReplyGrace, &reply, &none);
  // Before the channel goes: the reply has views into it.
  TakeAnswer(kind, reply, &result);
  channels_.GiveBack(std::move(channel), kind);
  return result;
}

void BrokerClient::NoteLocalhost(absl::string_view name) {
  if (!resolves() || !CanBeName(name) || IsForked()) return;
  ConnectError error;
  Reply reply;
  UniqueFd none;
  const ResolveRequest request = {NameFamily::kAny, name};
  std::unique_ptr<Channel> channel = channels_.Take(Clock::now(), &error);
  if (channel != nullptr) {
    const Kind kind = channel->Call(request, ChannelPool::kPatience, &reply, &none);
    channels_.GiveBack(std::move(channel), kind);
  } else if (error.kind == Kind::kLimited) {
    channels_.CallFirst(request, &reply, &none);
  }
}

bool BrokerClient::IsForked() const { return ProcessGeneration() != process_generation_; }

}  // namespace sockgate
