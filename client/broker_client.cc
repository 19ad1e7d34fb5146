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
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "proto/endpoint.h"
#include "proto/handover.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;

// How much longer than its own deadline the broker may take to say so, and how long for an answer
// at once.
constexpr std::chrono::milliseconds kReplyGrace(2000);

// Counts the forks between this process and the one that loaded the library, without a system call
// a request.
std::atomic<uint32_t> g_process_generation = 0;

uint32_t ProcessGeneration() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ++g_process_generation; });
  static_cast<void>(registered);
  return g_process_generation.load(std::memory_order_relaxed);
}

int ErrnoOf(Kind kind) {
  switch (kind) {
    case Kind::kTableFull:
      return EMFILE;
    case Kind::kNoAnswer:
      return ETIMEDOUT;
    case Kind::kBadRequest:
      return EINVAL;
    case Kind::kBadReply:
      return EPROTO;
    default:
      return EPIPE;
  }
}

std::chrono::milliseconds Patience(const ConnectRequest& request) {
  if (request.mode == ConnectMode::kInProgress) return kReplyGrace;
  return std::chrono::milliseconds(request.deadline_ms) + kReplyGrace;
}

}  // namespace

BrokerClient::BrokerClient(UniqueFd channel)
    : process_generation_(ProcessGeneration()), first_(std::move(channel)) {}

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
  const Kind kind = first_.Call(Hello(), kReplyGrace, &reply, &none);
  if (kind != Kind::kNone) {
    return absl::UnavailableError(ConnectError::Local(kind, ErrnoOf(kind)).ToString());
  }
  if (std::get<HelloReply>(reply.body).version == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the broker speaks none of this library's protocol versions, ", kOldestVersion,
                     " to ", kNewestVersion));
  }
  return absl::OkStatus();
}

ConnectResult BrokerClient::Connect(ConnectRequest request) {
  ConnectResult result;
  request.deadline_ms = std::clamp<uint32_t>(request.deadline_ms, 1, kMaxDeadlineMs);
  std::unique_ptr<Channel> channel = TakeChannel(&result.error);
  if (channel == nullptr) return result;

  Reply reply;
  const Kind kind = channel->Call(request, Patience(request), &reply, &result.socket);
  if (kind == Kind::kNone) {
    const Result& said = std::get<ConnectReply>(reply.body).result;
    result.error = ConnectError::FromResult(said);
    result.started = said.outcome == Outcome::kStarted;
    result.rule = said.rule;
  } else {
    result.error = ConnectError::Local(kind, ErrnoOf(kind));
  }
  if (kind != Kind::kBrokerGone && kind != Kind::kBadReply) GiveBack(std::move(channel));
  return result;
}

std::unique_ptr<Channel> BrokerClient::TakeChannel(ConnectError* error) {
  if (ProcessGeneration() != process_generation_) {
    *error = ConnectError::Local(Kind::kBrokerGone, EPIPE);
    return nullptr;
  }
  {
    const std::lock_guard<std::mutex> lock(idle_mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Channel> channel = std::move(idle_.back());
      idle_.pop_back();
      return channel;
    }
  }
  return Mint(error);
}

std::unique_ptr<Channel> BrokerClient::Mint(ConnectError* error) {
  const std::lock_guard<std::mutex> lock(mint_mutex_);
  Reply reply;
  UniqueFd minted;
  const Kind kind = first_.Call(OpenChannelRequest(), kReplyGrace, &reply, &minted);
  if (kind != Kind::kNone) {
    *error = ConnectError::Local(kind, ErrnoOf(kind));
    return nullptr;
  }
  *error = ConnectError::FromResult(std::get<OpenChannelReply>(reply.body).result);
  return error->ok() ? std::make_unique<Channel>(std::move(minted)) : nullptr;
}

void BrokerClient::GiveBack(std::unique_ptr<Channel> channel) {
  const std::lock_guard<std::mutex> lock(idle_mutex_);
  idle_.push_back(std::move(channel));
}

}  // namespace sockgate
