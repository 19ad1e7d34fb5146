// The broker's end of a resolver's channels, with the test as the resolver, honest or not.

#include "broker/resolver_link.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "broker/resolver/resolver_codec.h"
#include "proto/packet_socket.h"
#include "tests/broker/loop_thread.h"
#include "tests/broker/temp_folder.h"

namespace sockgate::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Hands over what the test gives it, by a pair of sockets that stands for the keeper's.
class FakeSupply final : public ResolverSupply {
 public:
  FakeSupply() : control_(*MakeChannelPair()) {}

  int descriptor() const override { return control_.broker.get(); }
  absl::StatusOr<ResolverChannels> Take() override {
    std::array<uint8_t, 1> byte;
    const Received order = ReceivePacket(control_.broker.get(), absl::MakeSpan(byte),
                                         Accept::kNoDescriptor, Wait::kNo);
    if (order.status == PacketStatus::kClosed) return absl::AbortedError("gone");
    if (order.status != PacketStatus::kOk) return absl::UnavailableError("none");
    return std::move(next_);
  }
  void Kill() override { ++kills; }
  absl::Status Restart(const ResolverOptions& options) override {
    restarted_with = options.tries;
    return absl::OkStatus();
  }

  void Bring(ResolverChannels channels) {
    next_ = std::move(channels);
    const std::array<uint8_t, 1> byte = {1};
    SendPacket(control_.worker.get(), byte, -1, Wait::kNo);
  }
  void End() { control_.worker.Reset(); }

  int kills = 0;
  std::optional<uint32_t> restarted_with;

 private:
  ChannelPair control_;
  ResolverChannels next_;
};

class ResolverLinkTest : public ::testing::Test, protected NameListener {
 protected:
  ResolverLinkTest() {
    auto supply = std::make_unique<FakeSupply>();
    supply_ = supply.get();
    thread_.Do([&] {
      link_ = std::make_unique<ResolverLink>(thread_.loop(), std::move(supply));
      link_->SetListener(this);
      EXPECT_EQ(link_->Begin(), 0);
    });
  }
  ~ResolverLinkTest() override {
    thread_.Do([&] { link_.reset(); });
  }

  void OnAnswer(const ResolverAnswer& answer) override { answers_.push_back(answer); }

  void BringResolver() {
    auto questions = MakeChannelPair();
    auto sockets = MakeChannelPair();
    questions_ = std::move(questions->worker);
    sockets_ = std::move(sockets->worker);
    ResolverChannels channels = {std::move(questions->broker), std::move(sockets->broker)};
    thread_.Do([&] { supply_->Bring(std::move(channels)); });
    std::array<uint8_t, kMaxPacketBytes> packet;
    const size_t size = Encode(ServerList{{Endpoint::Ip(IpAddress::V4({127, 0, 0, 1}), 53)}},
                               absl::MakeSpan(packet));
    SendPacket(sockets_.get(), absl::MakeConstSpan(packet).first(size), -1, Wait::kYes);
  }
  void Die() {
    questions_.Reset();
    sockets_.Reset();
  }
  void Ask(uint32_t id, const char* name) {
    thread_.Do([&] { link_->Ask(id, HostName::Parse(name).value()); });
  }
  // The resolver's next question, as "ID NAME"; it waits for it.
  std::string NextQuestion() {
    std::array<uint8_t, kMaxPacketBytes> buffer;
    for (int i = 0; i < 100; ++i) {
      const Received packet = ReceivePacket(questions_.get(), absl::MakeSpan(buffer),
                                            Accept::kNoDescriptor, Wait::kYes);
      if (packet.status == PacketStatus::kWouldBlock) continue;
      ResolverQuestion question;
      EXPECT_TRUE(DecodeQuestion(absl::MakeConstSpan(buffer.data(), packet.size), &question).ok());
      return std::to_string(question.id) + " " + question.name;
    }
    return "nothing";
  }
  void Say(uint32_t id, ResolverStatus status = ResolverStatus::kNoName) {
    ResolverAnswer answer;
    answer.id = id;
    answer.status = status;
    std::array<uint8_t, kMaxPacketBytes> buffer;
    const size_t size = Encode(answer, absl::MakeSpan(buffer));
    SayBytes(absl::MakeConstSpan(buffer.data(), size));
  }
  void SayBytes(absl::Span<const uint8_t> packet) {
    EXPECT_EQ(SendPacket(questions_.get(), packet, -1, Wait::kYes).status, PacketStatus::kOk);
  }
  bool AwaitAnswers(size_t count) {
    return thread_.Until([&] { return answers_.size() >= count; });
  }
  bool AwaitKill() {
    return thread_.Until([&] { return supply_->kills > 0; });
  }

  LoopThread thread_;
  FakeSupply* supply_;
  std::unique_ptr<ResolverLink> link_;
  std::vector<ResolverAnswer> answers_;
  UniqueFd questions_;
  UniqueFd sockets_;
};

TEST_F(ResolverLinkTest, AsksAndHears) {
  BringResolver();
  Ask(1, "a.org");
  Ask(2, "b.org");
  EXPECT_EQ(NextQuestion(), "1 a.org");
  EXPECT_EQ(NextQuestion(), "2 b.org");
  Say(2);
  Say(1, ResolverStatus::kFailed);
  ASSERT_TRUE(AwaitAnswers(2));
  EXPECT_EQ(answers_[0].id, 2U);
  EXPECT_EQ(answers_[1].status, ResolverStatus::kFailed);
  EXPECT_EQ(supply_->kills, 0);
}

TEST_F(ResolverLinkTest, QuestionsWaitForTheFirstResolver) {
  Ask(1, "a.org");
  BringResolver();
  EXPECT_EQ(NextQuestion(), "1 a.org");
}

TEST_F(ResolverLinkTest, MoreQuestionsThanTheChannelHoldsWaitForRoom) {
  BringResolver();
  for (uint32_t id = 1; id <= 500; ++id) Ask(id, "a.org");
  for (uint32_t id = 1; id <= 500; ++id) {
    ASSERT_EQ(NextQuestion(), std::to_string(id) + " a.org");
  }
}

TEST_F(ResolverLinkTest, WhatADeadResolverHadMayTryAgainAndTheRestGoesToTheNext) {
  BringResolver();
  Ask(1, "a.org");
  EXPECT_EQ(NextQuestion(), "1 a.org");
  Die();
  ASSERT_TRUE(AwaitAnswers(1));
  EXPECT_EQ(answers_[0].id, 1U);
  EXPECT_EQ(answers_[0].status, ResolverStatus::kTryAgain);
  EXPECT_EQ(supply_->kills, 0) << "it is dead";
  Ask(2, "b.org");
  BringResolver();
  EXPECT_EQ(NextQuestion(), "2 b.org");
  Say(2);
  EXPECT_TRUE(AwaitAnswers(2));
}

TEST_F(ResolverLinkTest, ANewResolverTakesThePlaceOfOneThatStillLives) {
  BringResolver();
  Ask(1, "a.org");
  EXPECT_EQ(NextQuestion(), "1 a.org");
  BringResolver();
  ASSERT_TRUE(AwaitAnswers(1));
  EXPECT_EQ(answers_[0].status, ResolverStatus::kTryAgain);
}

TEST_F(ResolverLinkTest, OneThatWasOrderedIsAskedTheSame) {
  BringResolver();
  Ask(1, "a.org");
  EXPECT_EQ(NextQuestion(), "1 a.org");
  thread_.Do([&] { EXPECT_TRUE(link_->Restart({}).ok()); });
  std::array<uint8_t, kMaxPacketBytes> nothing;
  EXPECT_EQ(
      ReceivePacket(questions_.get(), absl::MakeSpan(nothing), Accept::kNoDescriptor, Wait::kYes)
          .status,
      PacketStatus::kClosed)
      << "nobody listens to the old one any more";
  BringResolver();
  EXPECT_EQ(NextQuestion(), "1 a.org");
  Say(1);
  ASSERT_TRUE(AwaitAnswers(1));
  EXPECT_EQ(answers_[0].status, ResolverStatus::kNoName);
  // The next death is one like any other.
  Ask(2, "b.org");
  EXPECT_EQ(NextQuestion(), "2 b.org");
  Die();
  ASSERT_TRUE(AwaitAnswers(2));
  EXPECT_EQ(answers_[1].status, ResolverStatus::kTryAgain);
}

TEST_F(ResolverLinkTest, TheLogAndTheStateSayWhatBecameOfIt) {
  using State = ResolverState;
  const TempFolder folder;
  AuditLog log(UniqueFd(open((folder / "log").c_str(), O_WRONLY | O_CREAT, 0600)));
  thread_.Do([&] { link_->SetLog(&log); });
  const auto in_state = [&](State state) {
    return thread_.Until([&] { return link_->state() == state; });
  };
  EXPECT_TRUE(in_state(State::kAwaited));
  BringResolver();
  EXPECT_TRUE(in_state(State::kReady));
  SayBytes(std::array<uint8_t, 3>{1, 2, 3});
  EXPECT_TRUE(in_state(State::kAwaited));
  BringResolver();
  EXPECT_TRUE(in_state(State::kReady));
  Die();
  EXPECT_TRUE(in_state(State::kAwaited));
  thread_.Do([&] { supply_->End(); });
  EXPECT_TRUE(in_state(State::kGone));
  thread_.Do([&] {
    link_->SetLog(nullptr);
    log.Flush();
  });
  std::vector<std::string> changes;
  std::ifstream lines(folder / "log");
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json.at("event"), "resolver");
    changes.push_back(json.at("change").get<std::string>() + " " + json.value("detail", ""));
  }
  EXPECT_THAT(changes, ElementsAre("ready ", "killed type", "ready ", "ended ", "gone gone"));
}

TEST_F(ResolverLinkTest, GarbageCostsTheResolverItsLife) {
  BringResolver();
  Ask(1, "a.org");
  EXPECT_EQ(NextQuestion(), "1 a.org");
  SayBytes(std::array<uint8_t, 3>{1, 2, 3});
  EXPECT_TRUE(AwaitKill());
  ASSERT_TRUE(AwaitAnswers(1));
  EXPECT_EQ(answers_[0].status, ResolverStatus::kTryAgain);
}

TEST_F(ResolverLinkTest, SoDoesAnAnswerToWhatWasNeverAsked) {
  BringResolver();
  Ask(1, "a.org");
  EXPECT_EQ(NextQuestion(), "1 a.org");
  Say(2);
  EXPECT_TRUE(AwaitKill());
}

TEST_F(ResolverLinkTest, AndGarbageOnTheSocketChannel) {
  BringResolver();
  SendPacket(sockets_.get(), std::array<uint8_t, 3>{1, 2, 3}, -1, Wait::kYes);
  EXPECT_TRUE(AwaitKill());
}

TEST_F(ResolverLinkTest, AndASecondAnswer) {
  BringResolver();
  Ask(1, "a.org");
  NextQuestion();
  Say(1);
  Say(1);
  EXPECT_TRUE(AwaitKill());
  EXPECT_EQ(answers_.size(), 1U);
}

TEST_F(ResolverLinkTest, AnAnswerToWhatWasGivenUpIsNobodysEither) {
  BringResolver();
  Ask(1, "a.org");
  Ask(2, "b.org");
  NextQuestion();
  NextQuestion();
  Say(1);
  ASSERT_TRUE(AwaitAnswers(1));
  thread_.Do([&] { link_->GiveUp(2); });
  EXPECT_EQ(supply_->kills, 0) << "it has spoken since";
  Say(2);
  Ask(3, "c.org");
  NextQuestion();
  Say(3);
  ASSERT_TRUE(AwaitAnswers(2));
  EXPECT_EQ(answers_[1].id, 3U);
}

TEST_F(ResolverLinkTest, AResolverThatSaysNothingAtAllIsKilledOnce) {
  BringResolver();
  Ask(1, "a.org");
  Ask(2, "b.org");
  NextQuestion();
  thread_.Do([&] {
    link_->GiveUp(1);
    link_->GiveUp(2);
  });
  EXPECT_EQ(supply_->kills, 1);
}

TEST_F(ResolverLinkTest, OneThatHadNoTimeToSayAnythingIsNot) {
  Ask(1, "a.org");
  BringResolver();
  EXPECT_EQ(NextQuestion(), "1 a.org");
  thread_.Do([&] { link_->GiveUp(1); });
  EXPECT_EQ(supply_->kills, 0);
}

TEST_F(ResolverLinkTest, NorIsOneWhoseAnswerNobodyWants) {
  BringResolver();
  Ask(1, "a.org");
  EXPECT_EQ(NextQuestion(), "1 a.org");
  thread_.Do([&] { link_->Forget(1); });
  EXPECT_EQ(supply_->kills, 0);
  Say(1);
  Ask(2, "b.org");
  EXPECT_EQ(NextQuestion(), "2 b.org");
  Say(2);
  ASSERT_TRUE(AwaitAnswers(1));
  EXPECT_EQ(answers_[0].id, 2U);
}

TEST_F(ResolverLinkTest, WhatIsForgottenBeforeItIsSentIsNeverSent) {
  Ask(1, "a.org");
  Ask(2, "b.org");
  thread_.Do([&] { link_->Forget(1); });
  BringResolver();
  EXPECT_EQ(NextQuestion(), "2 b.org");
}

TEST_F(ResolverLinkTest, WithoutAKeeperEveryQuestionMayTryAgain) {
  Ask(1, "a.org");
  thread_.Do([&] { supply_->End(); });
  ASSERT_TRUE(AwaitAnswers(1));
  Ask(2, "b.org");
  ASSERT_TRUE(AwaitAnswers(2));
  EXPECT_EQ(answers_[1].status, ResolverStatus::kTryAgain);
}

TEST_F(ResolverLinkTest, PassesNewOptionsOn) {
  ResolverOptions options;
  options.tries = 7;
  thread_.Do([&] { EXPECT_TRUE(link_->Restart(options).ok()); });
  EXPECT_EQ(supply_->restarted_with, 7U);
}

TEST_F(ResolverLinkTest, AsksAcrossTheEndOfTheNumbers) {
  BringResolver();
  Ask(UINT32_MAX, "a.org");
  Ask(1, "b.org");
  EXPECT_EQ(NextQuestion(), "4294967295 a.org");
  EXPECT_EQ(NextQuestion(), "1 b.org");
  Say(UINT32_MAX);
  Say(1);
  EXPECT_TRUE(AwaitAnswers(2));
  EXPECT_EQ(supply_->kills, 0);
}

}  // namespace
}  // namespace sockgate::testing
