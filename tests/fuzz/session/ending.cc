#include "tests/fuzz/session/ending.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "proto/check.h"
#include "tests/support/process_stats.h"

namespace sockgate::fuzz {
namespace {

using nlohmann::json;
using testing::AuditLedger;

constexpr int kQuietRounds = 2;
constexpr char kAllowed[] = "192.0.2.1";
constexpr char kDenied[] = "192.0.2.66";
constexpr uint16_t kFirstPort = 50000;
constexpr size_t kConnectKind = 1;
constexpr size_t kResolveKind = 2;

ConnectRequest ConnectTo(const char* address, uint16_t port, ConnectMode mode) {
  ConnectRequest request;
  request.mode = mode;
  request.deadline_ms = kMaxDeadlineMs;
  request.endpoint = Endpoint::Ip(*IpAddress::Parse(address), port);
  return request;
}

ConnectRequest Pending(ConnectMode mode) { return ConnectTo(kAllowed, 443, mode); }

bool IsLimited(const Result& result, Reason reason) {
  return result.outcome == Outcome::kLimited && result.reason == reason;
}

// What the worker heard and what the log says.
bool Agree(const Result& heard, const AuditLedger::Request& logged) {
  if (heard.outcome == Outcome::kStarted) {
    return logged.outcome == Outcome::kConnected || logged.outcome == Outcome::kFailed;
  }
  if (heard.outcome != logged.told()) return false;
  if (heard.outcome == Outcome::kFailed) return heard.error == logged.error;
  return heard.outcome == Outcome::kDenied || heard.reason == logged.reason;
}

}  // namespace

struct Ending::Stage {
  bool (Ending::*run)();
};

bool Ending::Next() {
  static constexpr std::array<Stage, 21> kStages = {
      {{&Ending::Settle},          {&Ending::CheckReplies},     {&Ending::ClearOrders},
       {&Ending::Settle},          {&Ending::AskForNumbers},    {&Ending::Settle},
       {&Ending::FillPending},     {&Ending::CheckPending},     {&Ending::Settle},
       {&Ending::FillOutstanding}, {&Ending::CheckOutstanding}, {&Ending::Settle},
       {&Ending::FillLookups},     {&Ending::CheckLookups},     {&Ending::Settle},
       {&Ending::FillChannels},    {&Ending::CheckChannels},    {&Ending::EndWorkers},
       {&Ending::Settle},          {&Ending::CheckNothingLeft}, {&Ending::CheckLog}}};
  if ((this->*kStages[stage_].run)()) ++stage_;
  return stage_ < kStages.size();
}

bool Ending::Settle() {
  const size_t moved = crowd_->ReadAll() + EndHandshakes() + AnswerQuestions();
  crowd_->Advance(std::chrono::seconds(1));
  quiet_rounds_ = moved == 0 ? quiet_rounds_ + 1 : 0;
  if (quiet_rounds_ < kQuietRounds) return false;
  quiet_rounds_ = 0;
  return true;
}

size_t Ending::EndHandshakes() {
  const size_t before = ended_lines_;
  for (; ended_lines_ < world_->net().lines(); ++ended_lines_) world_->net().Finish(ended_lines_);
  return ended_lines_ - before;
}

size_t Ending::AnswerQuestions() {
  testing::FakeNames& names = world_->names();
  size_t answered = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!names.question(i).open || names.question(i).given_up) continue;
    names.Found(i, {"9.9.9.9"});
    ++answered;
  }
  return answered;
}

bool Ending::CheckReplies() {
  for (const FuzzChannel& channel : crowd_->channels()) {
    SOCKGATE_CHECK(!channel.open() || !channel.doomed());
    SOCKGATE_CHECK(!channel.open() || channel.unanswered() == 0);
  }
  return true;
}

// What was ordered for a socket that nobody asked for goes to one that nobody looks at.
bool Ending::ClearOrders() {
  world_->Adopt(SessionWorld::Rules::kUsual);
  crowd_->AddWorker();
  probed_ = crowd_->Healthy();
  world_->net().NextOpenFails(0);
  if (probed_ != nullptr) probed_->Ask(Pending(ConnectMode::kConnected));
  return true;
}

// By requests that no other channel has made.
bool Ending::AskForNumbers() {
  uint16_t port = kFirstPort;
  for (FuzzChannel& channel : crowd_->channels()) {
    if (!channel.healthy()) continue;
    channel.Ask(ConnectTo(kDenied, ++port, ConnectMode::kConnected));
    by_target_[absl::StrCat(kDenied, ":", port)] = &channel;
  }
  return true;
}

bool Ending::FillPending() {
  if (probed_ == nullptr) return true;
  const uint32_t most = SessionWorld::UsualLimits().max_pending;
  for (uint32_t i = 0; i <= most; ++i) probed_->Ask(Pending(ConnectMode::kInProgress));
  return true;
}

std::vector<Result> Ending::Last(size_t count) const {
  std::vector<Result> results;
  const auto& asked = probed_->asked();
  for (size_t i = asked.size() - count; i < asked.size(); ++i) results.push_back(asked[i].result);
  return results;
}

bool Ending::CheckPending() {
  if (probed_ == nullptr) return true;
  crowd_->ReadAll();
  std::vector<Result> results = Last(SessionWorld::UsualLimits().max_pending + 1);
  SOCKGATE_CHECK(IsLimited(results.back(), Reason::kPending));
  results.pop_back();
  for (const Result& result : results) SOCKGATE_CHECK(result.outcome == Outcome::kStarted);
  return true;
}

bool Ending::FillOutstanding() {
  if (probed_ == nullptr) return true;
  const uint16_t most = SessionWorld::UsualLimits().max_outstanding;
  for (int i = 0; i <= most; ++i) probed_->Ask(Pending(ConnectMode::kConnected));
  return true;
}

bool Ending::CheckOutstanding() {
  if (probed_ == nullptr) return true;
  crowd_->ReadAll();
  const uint16_t most = SessionWorld::UsualLimits().max_outstanding;
  SOCKGATE_CHECK(probed_->unanswered() == most);
  SOCKGATE_CHECK(IsLimited(Last(1).front(), Reason::kOutstanding));
  return true;
}

bool Ending::FillLookups() {
  if (probed_ == nullptr) return true;
  const uint32_t most = SessionWorld::UsualLimits().max_lookups;
  for (uint32_t i = 0; i <= most; ++i) {
    const std::string name = absl::StrCat("new", i, ".example.com");
    ResolveRequest request;
    request.name = name;
    probed_->Ask(request);
  }
  return true;
}

bool Ending::CheckLookups() {
  if (probed_ == nullptr) return true;
  crowd_->ReadAll();
  SOCKGATE_CHECK(probed_->unanswered() == SessionWorld::UsualLimits().max_lookups);
  SOCKGATE_CHECK(IsLimited(Last(1).front(), Reason::kLookups));
  return true;
}

bool Ending::FillChannels() {
  if (probed_ == nullptr) return true;
  const uint32_t most = SessionWorld::UsualLimits().max_channels;
  for (uint32_t i = 0; i < most; ++i) probed_->Ask(OpenChannelRequest());
  return true;
}

bool Ending::CheckChannels() {
  if (probed_ == nullptr) return true;
  crowd_->ReadAll();
  const uint32_t most = SessionWorld::UsualLimits().max_channels;
  SOCKGATE_CHECK(crowd_->OpenChannelsOf(probed_->worker()) == most);
  SOCKGATE_CHECK(IsLimited(Last(1).front(), Reason::kChannels));
  return true;
}

bool Ending::EndWorkers() {
  for (FuzzChannel& channel : crowd_->channels()) channel.Close();
  return true;
}

bool Ending::CheckNothingLeft() {
  SOCKGATE_CHECK(world_->server().channels() == 0);
  SOCKGATE_CHECK(world_->server().questions() == 0);
  const size_t far_sides = world_->net().lines();
  SOCKGATE_CHECK(testing::OpenFdCount(getpid()).value() == descriptors_ + far_sides);
  return true;
}

bool Ending::CheckLog() {
  world_->EndServer();
  AuditLedger ledger;
  std::unordered_map<std::string, uint64_t> numbers;
  for (const std::string& text : world_->Log()) {
    ledger.AddText(text);
    const json line = json::parse(text);
    if (line.at("event") == "decision") numbers[line.at("target")] = line.at("channel");
  }
  const std::string fault = ledger.Fault();
  if (!fault.empty()) std::fprintf(stderr, "%s\n", fault.c_str());
  SOCKGATE_CHECK(fault.empty());
  SOCKGATE_CHECK(ledger.Changes("opened") ==
                 ledger.Changes("closed") + ledger.Changes("violation"));
  for (const auto& [target, channel] : by_target_) {
    SOCKGATE_CHECK(numbers.count(target) == 1);
    CheckChannel(*channel, numbers.at(target), ledger);
  }
  return true;
}

void Ending::CheckChannel(const FuzzChannel& channel, uint64_t number,
                          const AuditLedger& ledger) const {
  uint32_t id = 0;
  for (const FuzzChannel::Asked& asked : channel.asked()) {
    const AuditLedger::Request* logged = ledger.Find(number, ++id);
    SOCKGATE_CHECK((logged != nullptr && logged->is_connect()) == (asked.kind == kConnectKind));
    SOCKGATE_CHECK((logged != nullptr && logged->is_lookup()) == (asked.kind == kResolveKind));
    if (logged != nullptr && asked.answered) SOCKGATE_CHECK(Agree(asked.result, *logged));
  }
  SOCKGATE_CHECK(ledger.Find(number, id + 1) == nullptr);
}

}  // namespace sockgate::fuzz
