#include "client/channel_asker.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "proto/handover.h"
#include "tests/client/fake_broker.h"

namespace sockgate {
namespace {

using std::chrono::milliseconds;
using testing::FakeSource;
using testing::Marked;

constexpr uint8_t kChannel = static_cast<uint8_t>(SourceAnswer::kChannel);
constexpr uint8_t kNoBroker = static_cast<uint8_t>(SourceAnswer::kNoBroker);
constexpr uint8_t kTooOften = static_cast<uint8_t>(SourceAnswer::kTooOften);

absl::StatusOr<UniqueFd> AskFor(ChannelAsker& asker, milliseconds patience = milliseconds(5000)) {
  return asker.Ask(std::chrono::steady_clock::now() + patience);
}

TEST(ChannelAskerTest, AChannelForEachRequest) {
  FakeSource source;
  ChannelAsker asker(source.TakeWorkerEnd());
  for (int i = 0; i < 3; ++i) {
    Marked channel;
    source.SayBytes({kChannel}, {channel.near_side.get()});
    channel.LetGo();
    const auto got = AskFor(asker);
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_TRUE(got->valid());
    EXPECT_FALSE(channel.Closed());
    EXPECT_EQ(source.Asked(), 1);
  }
}

TEST(ChannelAskerTest, WhatMayPass) {
  FakeSource source;
  ChannelAsker asker(source.TakeWorkerEnd());
  for (const uint8_t answer : {kNoBroker, kTooOften}) {
    source.Say(answer);
    EXPECT_TRUE(absl::IsUnavailable(AskFor(asker).status()));
  }
  EXPECT_EQ(source.Asked(), 2);
}

// A launcher that was busy is not asked twice for one channel.
TEST(ChannelAskerTest, ALateAnswerIsTheNextCalls) {
  FakeSource source;
  ChannelAsker asker(source.TakeWorkerEnd());
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(absl::IsDeadlineExceeded(AskFor(asker, milliseconds(150)).status()));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(150));
  EXPECT_TRUE(absl::IsDeadlineExceeded(AskFor(asker, milliseconds(1)).status()));
  const Marked channel;
  source.SayBytes({kChannel}, {channel.near_side.get()});
  EXPECT_TRUE(AskFor(asker).ok());
  EXPECT_EQ(source.Asked(), 1);
}

TEST(ChannelAskerTest, ALauncherThatHasGoneIsForGood) {
  FakeSource source;
  ChannelAsker asker(source.TakeWorkerEnd());
  source.Close();
  EXPECT_TRUE(absl::IsFailedPrecondition(AskFor(asker).status()));
}

TEST(ChannelAskerTest, WhatNoLauncherSays) {
  const Marked channel;
  const int fd = channel.near_side.get();
  const struct {
    std::vector<uint8_t> packet;
    std::vector<int> descriptors;
  } cases[] = {
      {{kChannel}, {}}, {{kNoBroker}, {fd}},    {{kTooOften}, {fd}},   {{0}, {}},
      {{4}, {}},        {{kChannel}, {fd, fd}}, {{kChannel, 0}, {fd}}, {{kChannel, 0, 0}, {fd}},
  };
  for (const auto& one : cases) {
    FakeSource source;
    ChannelAsker asker(source.TakeWorkerEnd());
    Marked extra;
    source.SayBytes(one.packet, one.descriptors);
    EXPECT_TRUE(absl::IsFailedPrecondition(AskFor(asker).status())) << one.packet.size();
  }
}

TEST(ChannelAskerTest, NoNumberLeftForTheChannel) {
  FakeSource source;
  ChannelAsker asker(source.TakeWorkerEnd());
  Marked channel;
  source.SayBytes({kChannel}, {channel.near_side.get()});
  channel.LetGo();
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const absl::Status status = AskFor(asker).status();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_TRUE(channel.Closed());
  source.Say(kNoBroker);
  EXPECT_TRUE(absl::IsUnavailable(AskFor(asker).status())) << "it can be asked again";
}

}  // namespace
}  // namespace sockgate
