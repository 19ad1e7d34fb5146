#include "tests/broker/resolver/resolver_client.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "broker/resolver/resolver_codec.h"
#include "proto/check.h"
#include "proto/packet_socket.h"

namespace sockgate::testing {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience(10);

ResolverKeeper Started(const ResolverOptions& options) {
  auto keeper = ResolverKeeper::Start(options);
  SOCKGATE_CHECK(keeper.ok());
  return *std::move(keeper);
}

}  // namespace

ResolverOptions OptionsFor(uint16_t port) {
  ResolverOptions options;
  options.servers = {Endpoint::Ip(IpAddress::V4({127, 0, 0, 1}), port)};
  options.timeout_ms = 200;
  options.tries = 2;
  options.resolv_conf = "";
  options.hosts_file = "";
  return options;
}

ResolverClient::ResolverClient(const ResolverOptions& options) : keeper_(Started(options)) {}

pid_t ResolverClient::resolver_pid() const {
  const std::string pid = std::to_string(keeper_.keeper_pid());
  std::ifstream children(absl::StrCat("/proc/", pid, "/task/", pid, "/children"));
  pid_t child = 0;
  children >> child;
  return child;
}

bool ResolverClient::AwaitResolver() {
  const auto give_up = Clock::now() + kPatience;
  while (Clock::now() < give_up) {
    if (Serve(std::chrono::milliseconds(20)) && !server_->servers().empty()) return true;
  }
  return false;
}

bool ResolverClient::Serve(std::chrono::milliseconds wait) {
  pollfd watched[] = {{keeper_.descriptor(), POLLIN, 0},
                      {server_ == nullptr ? -1 : server_->descriptor(), POLLIN, 0},
                      {questions_.get(), POLLIN, 0}};
  poll(watched, 3, static_cast<int>(wait.count()));
  if (watched[1].revents != 0 && !server_->Serve(Clock::now()).ok()) DropResolver();
  if (server_ != nullptr && watched[2].revents != 0 && !TakeAnswer()) DropResolver();
  if (watched[0].revents != 0) {
    auto channels = keeper_.Take();
    if (channels.ok()) {
      questions_ = std::move(channels->questions);
      server_ = std::make_unique<SocketServer>(std::move(channels->sockets));
    }
  }
  return server_ != nullptr;
}

void ResolverClient::DropResolver() {
  questions_.Reset();
  server_.reset();
}

bool ResolverClient::TakeAnswer() {
  std::array<uint8_t, kMaxPacketBytes> packet;
  const Received received =
      ReceivePacket(questions_.get(), absl::MakeSpan(packet), Accept::kNoDescriptor, Wait::kNo);
  if (received.status != PacketStatus::kOk) return false;
  ResolverAnswer answer;
  const auto bytes = absl::MakeConstSpan(packet).first(received.size);
  SOCKGATE_CHECK(DecodeAnswer(bytes, &answer).ok());
  answers_.push_back(answer);
  return true;
}

void ResolverClient::Ask(uint32_t id, const std::string& name) {
  std::array<uint8_t, kMaxPacketBytes> packet;
  const size_t size = Encode(ResolverQuestion{id, name}, absl::MakeSpan(packet));
  SOCKGATE_CHECK(size > 0);
  while (true) {
    const Sent sent =
        SendPacket(questions_.get(), absl::MakeConstSpan(packet).first(size), -1, Wait::kNo);
    if (sent.status != PacketStatus::kWouldBlock) return;
    Serve(std::chrono::milliseconds(1));
  }
}

std::optional<ResolverAnswer> ResolverClient::AwaitAnswer() {
  const auto give_up = Clock::now() + kPatience;
  while (answers_.empty() && Clock::now() < give_up) {
    if (!Serve(std::chrono::milliseconds(50))) return std::nullopt;
  }
  if (answers_.empty()) return std::nullopt;
  ResolverAnswer answer = answers_.front();
  answers_.erase(answers_.begin());
  return answer;
}

std::optional<ResolverAnswer> ResolverClient::Resolve(const std::string& name) {
  Ask(++last_id_, name);
  auto answer = AwaitAnswer();
  SOCKGATE_CHECK(!answer.has_value() || answer->id == last_id_);
  return answer;
}

std::string AddressesOf(const ResolverAnswer& answer) {
  std::string text;
  for (size_t i = 0; i < answer.v4_count; ++i) absl::StrAppend(&text, answer.v4[i].ToString(), " ");
  for (size_t i = 0; i < answer.v6_count; ++i) absl::StrAppend(&text, answer.v6[i].ToString(), " ");
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace sockgate::testing
