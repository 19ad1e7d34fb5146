#include "tool/watch_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>

#include "tests/broker/temp_folder.h"
#include "tests/tool/fake_control.h"

namespace sockgate {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::FakeControl;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Remembers what it is shown, and then does what the test wants to happen.
class Notes final : public WatchView {
 public:
  bool Answered(const json& reply) override { return Note(reply.dump()); }
  bool Silent(const std::string& why) override { return Note(why); }

  std::vector<std::string> notes;
  std::function<bool()> then;

 private:
  bool Note(std::string note) {
    notes.push_back(std::move(note));
    return then();
  }
};

class WatchLoopTest : public ::testing::Test {
 protected:
  const testing::TempFolder folder_;
  const std::string path_ = folder_ / "control";
  std::unique_ptr<FakeControl> broker_ = std::make_unique<FakeControl>(path_);
  Notes notes_;
  WatchLoop loop_{path_, milliseconds(20), &notes_};
};

TEST_F(WatchLoopTest, AsksAtEachInterval) {
  broker_->Say({{"a", 1}});
  const auto begun = WatchLoop::Clock::now();
  notes_.then = [&] {
    if (notes_.notes.size() == 3) loop_.End();
    return true;
  };
  EXPECT_TRUE(loop_.Run());
  EXPECT_GE(WatchLoop::Clock::now() - begun, milliseconds(40));
  EXPECT_THAT(notes_.notes, ElementsAre(R"({"a":1})", R"({"a":1})", R"({"a":1})"));
}

TEST_F(WatchLoopTest, EndsWhenNobodySeesIt) {
  broker_->Say({{"a", 1}});
  notes_.then = [] { return false; };
  EXPECT_FALSE(loop_.Run());
  EXPECT_EQ(notes_.notes.size(), 1U);
}

TEST_F(WatchLoopTest, GoesOnWhenTheBrokerGoesAndComesBack) {
  broker_->Say({{"a", 1}});
  notes_.then = [&] {
    switch (notes_.notes.size()) {
      case 1:
        broker_.reset();
        break;
      case 3:
        broker_ = std::make_unique<FakeControl>(path_);
        broker_->Say({{"b", 2}});
        break;
      case 4:
        loop_.End();
        break;
    }
    return true;
  };
  EXPECT_TRUE(loop_.Run());
  const std::string gone =
      "no broker at " + path_ + ": there is no such path: is it started, with this --control?";
  EXPECT_THAT(notes_.notes, ElementsAre(R"({"a":1})", gone, gone, R"({"b":2})"));
}

TEST_F(WatchLoopTest, OneThatKeepsItsAnswerIsNotAskedTwice) {
  notes_.then = [&] {
    switch (notes_.notes.size()) {
      case 3:
        EXPECT_EQ(broker_->asked(), 1);
        broker_->HangUp();
        break;
      case 4:
        broker_->Say({{"a", 1}});
        break;
      case 5:
        loop_.End();
        break;
    }
    return true;
  };
  EXPECT_TRUE(loop_.Run());
  EXPECT_THAT(notes_.notes,
              ElementsAre(StartsWith("no answer for "), StartsWith("no answer for "),
                          StartsWith("no answer for "), HasSubstr("hung up"), R"({"a":1})"));
}

TEST_F(WatchLoopTest, WhoeverListensIsHeardWhileTheBrokerIsNot) {
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  const UniqueFd reader(pipes[0]);
  const UniqueFd writer(pipes[1]);
  WatchLoop slow(path_, std::chrono::hours(1), &notes_);
  slow.Listen(-1, [] { FAIL(); });
  slow.Listen(reader.get(), [&] { slow.End(); });
  ASSERT_EQ(write(writer.get(), "x", 1), 1);
  EXPECT_TRUE(slow.Run());
  EXPECT_TRUE(notes_.notes.empty());
}

TEST_F(WatchLoopTest, WhatIsIgnoredIsNotHeardAgain) {
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  const UniqueFd reader(pipes[0]);
  UniqueFd(pipes[1]).Reset();  // the end of the pipe is there for ever
  int heard = 0;
  loop_.Listen(reader.get(), [&] {
    ++heard;
    loop_.Ignore(reader.get());
  });
  notes_.then = [&] {
    if (notes_.notes.size() == 2) loop_.End();
    return true;
  };
  EXPECT_TRUE(loop_.Run());
  EXPECT_EQ(heard, 1);
}

}  // namespace
}  // namespace sockgate
