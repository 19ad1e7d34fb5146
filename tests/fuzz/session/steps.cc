#include "tests/fuzz/session/steps.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace sockgate::fuzz {
namespace {

constexpr size_t kMostSteps = 256;
constexpr uint16_t kPort = 443;

constexpr std::array<const char*, 6> kTargets = {"192.0.2.1",   "192.0.2.66", "9.9.9.9",
                                                 "2001:db8::1", "10.0.0.1",   "::ffff:192.0.2.1"};
constexpr std::array<absl::string_view, 7> kNames = {
    "a.example.com", "b.example.com", "bad.example.com", "other.test",
    "localhost",     "A.EXAMPLE.com", "..not a name"};
constexpr std::array<const char*, 5> kAnswers = {"9.9.9.9", "192.0.2.66", "10.0.0.1", "2620:fe::9",
                                                 "::ffff:9.9.9.9"};
constexpr std::array<int, 9> kErrors = {EMFILE, ENFILE,       ENOBUFS,      ENOMEM, EADDRNOTAVAIL,
                                        EINTR,  ECONNREFUSED, EHOSTUNREACH, EPERM};
constexpr std::array<std::chrono::milliseconds, 5> kTimes = {
    std::chrono::milliseconds(1), std::chrono::milliseconds(100), std::chrono::seconds(2),
    std::chrono::seconds(40), std::chrono::seconds(200)};

template <typename Table>
auto PickFrom(const Table& table, uint8_t number) {
  return table[number % table.size()];
}

}  // namespace

bool Steps::Next() {
  if (bytes_.empty() || taken_ == kMostSteps) return false;
  ++taken_;
  Act(Byte());
  return true;
}

uint8_t Steps::Byte() {
  if (bytes_.empty()) return 0;
  const uint8_t byte = bytes_.front();
  bytes_.remove_prefix(1);
  return byte;
}

void Steps::Act(uint8_t what) {
  switch (what % 16) {
    case 0:
      crowd_->AddWorker();
      break;
    case 1:
      crowd_->Advance(PickFrom(kTimes, Byte()));
      break;
    case 2:
      world_->Adopt(static_cast<SessionWorld::Rules>(Byte() % SessionWorld::kRules));
      break;
    case 3:
      EndHandshake();
      break;
    case 4:
      OrderNextLine();
      break;
    case 5:
      AnswerQuestion();
      break;
    default:
      if (FuzzChannel* channel = crowd_->Pick(Byte())) ActOn(channel, what);
      break;
  }
}

void Steps::ActOn(FuzzChannel* channel, uint8_t what) {
  switch (what % 16) {
    case 6:
      channel->Ask(AnyConnect());
      break;
    case 7:
      channel->Ask(AnyResolve());
      break;
    case 8:
      channel->Ask(OpenChannelRequest());
      break;
    case 9:
      channel->Ask(Hello());
      break;
    case 10:
      SendGarbage(channel);
      break;
    case 11:
      SendNearlyRight(channel);
      break;
    case 12:
      SendMany(channel);
      break;
    case 13:
      channel->Close();
      break;
    case 14:
      crowd_->EndWorker(channel->worker());
      break;
    default:
      crowd_->Read(channel);
      break;
  }
}

void Steps::SendGarbage(FuzzChannel* channel) {
  Packet packet(Byte());
  std::generate(packet.begin(), packet.end(), [this] { return Byte(); });
  if (packet.size() == 255) packet.resize(kMaxPacketBytes + 1);
  channel->Send(packet);
}

// A good request but for one byte, its length, its number or a descriptor that comes along.
void Steps::SendNearlyRight(FuzzChannel* channel) {
  const uint8_t how = Byte();
  Packet packet = AnyRequest(channel->next_id() + (how % 8 == 0 ? how / 8U : 0U));
  const uint8_t at = Byte();
  if (how % 8 == 1) packet[at % packet.size()] ^= Byte();
  if (how % 8 == 2) packet.resize(at);
  // Any that is open.
  channel->Send(packet, how % 8 == 3 ? 0 : -1);
}

void Steps::SendMany(FuzzChannel* channel) {
  const ConnectRequest request = AnyConnect();
  for (int i = Byte() % 32; i > 0; --i) channel->Ask(request);
}

void Steps::EndHandshake() {
  testing::FakeNet& net = world_->net();
  const uint8_t how = Byte();
  if (net.lines() == 0) return;
  const size_t line = net.lines() - 1 - how / 4 % net.lines();
  switch (how % 4) {
    case 0:
      net.Finish(line);
      break;
    case 1:
      net.Break(line, PickFrom(kErrors, Byte()));
      break;
    case 2:
      net.FinishAndEnd(line);
      break;
    default:
      net.MakeWritable(line);
      break;
  }
}

void Steps::OrderNextLine() {
  testing::FakeNet& net = world_->net();
  const uint8_t how = Byte();
  const int error = PickFrom(kErrors, how / 8);
  switch (how % 8) {
    case 0:
      net.NextOpenFails(error);
      break;
    case 1:
      net.NextAnswers({0});
      break;
    case 2:
      net.NextAnswers({error});
      break;
    case 3:
      net.NextAnswers({EINPROGRESS, 0});
      net.NextLook(Handshake::kDone);
      break;
    case 4:
      net.NextAnswers({EINPROGRESS, error});
      net.NextLook(Handshake::kFailed);
      break;
    case 5:
      net.NextAnswers({EINPROGRESS, error});
      net.NextLook(Handshake::kDone);
      break;
    case 6:
      net.NextLook(Handshake::kOver);
      break;
    default:
      net.NextCannotBeWatched();
      break;
  }
}

void Steps::AnswerQuestion() {
  testing::FakeNames& names = world_->names();
  const uint8_t how = Byte();
  if (how == 0xff) names.Die();
  std::vector<size_t> open;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names.question(i).open && !names.question(i).given_up) open.push_back(i);
  }
  if (open.empty()) return;
  const size_t question = PickFrom(open, Byte());
  const uint32_t ttl_seconds = Byte();
  if (how < 0x80) {
    names.Found(question, {PickFrom(kAnswers, how), PickFrom(kAnswers, how / 8)}, ttl_seconds);
  } else {
    const auto status = how % 2 == 0 ? ResolverStatus::kNoName : ResolverStatus::kTryAgain;
    names.NotFound(question, status, ttl_seconds);
  }
}

Packet Steps::AnyRequest(uint32_t id) {
  switch (Byte() % 4) {
    case 0:
      return FuzzChannel::Encoded(id, Hello());
    case 1:
      return FuzzChannel::Encoded(id, AnyResolve());
    case 2:
      return FuzzChannel::Encoded(id, OpenChannelRequest());
    default:
      return FuzzChannel::Encoded(id, AnyConnect());
  }
}

ConnectRequest Steps::AnyConnect() {
  const uint8_t how = Byte();
  ConnectRequest request;
  request.mode = (how & 0x80) == 0 ? ConnectMode::kConnected : ConnectMode::kInProgress;
  request.transport = (how & 0x70) == 0x70 ? Transport::kDatagram : Transport::kStream;
  request.deadline_ms = (how & 0x08) == 0 ? kMaxDeadlineMs : 1000;
  const IpAddress address = *IpAddress::Parse(PickFrom(kTargets, how & 0x07));
  request.endpoint = Endpoint::Ip(address, (how & 0x70) == 0x60 ? 0 : kPort);
  if ((how & 0x70) == 0x50) request.endpoint = *Endpoint::Unix("/run/fuzz");
  return request;
}

ResolveRequest Steps::AnyResolve() {
  const uint8_t how = Byte();
  ResolveRequest request;
  request.family = static_cast<NameFamily>(1 + how / 16 % 3);
  request.name = PickFrom(kNames, how & 0x0f);
  return request;
}

}  // namespace sockgate::fuzz
