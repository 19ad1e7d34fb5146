// `sockgate metrics`, with a broker that says what the test wants.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "absl/strings/str_cat.h"
#include "tests/broker/temp_folder.h"
#include "tests/tool/command.h"
#include "tests/tool/exposition.h"
#include "tests/tool/fake_control.h"
#include "tests/tool/status_reply.h"

namespace sockgate::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class MetricsCommand : public ::testing::Test {
 protected:
  MetricsCommand() { broker_->Say(FullStatusReply()); }

  CommandResult Run(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"metrics", "--control", control_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunSockgate(arguments);
  }
  size_t Files() const {
    const std::filesystem::directory_iterator files(out_);
    return static_cast<size_t>(std::distance(begin(files), end(files)));
  }

  const TempFolder folder_;
  const std::string control_ = folder_ / "control";
  const std::string out_ = folder_ / "out";
  const bool made_ = std::filesystem::create_directory(out_);
  const std::string file_ = out_ + "/sockgate.prom";
  std::unique_ptr<FakeControl> broker_ = std::make_unique<FakeControl>(control_);
};

TEST_F(MetricsCommand, PrintsAnExposition) {
  const CommandResult metrics = Run();
  EXPECT_EQ(metrics.status, 0) << metrics.err;
  const Exposition text(metrics.out);
  EXPECT_THAT(text.faults(), IsEmpty());
  EXPECT_EQ(text.At("sockgate_uptime_seconds"), 12);
}

TEST_F(MetricsCommand, WritesTheSameToAFile) {
  const CommandResult metrics = Run({"--output", file_});
  EXPECT_EQ(metrics.status, 0) << metrics.err;
  EXPECT_EQ(metrics.out, "");
  EXPECT_EQ(Contents(file_), Run().out);
  EXPECT_EQ(Files(), 1U);
}

TEST_F(MetricsCommand, ABrokerThatDoesNotAnswerLeavesTheFileAsItWas) {
  std::ofstream(file_) << "old";
  broker_->Say({{"error", "the broker has stopped"}});
  EXPECT_EQ(Run({"--output", file_}).err, "sockgate metrics: the broker has stopped\n");
  broker_->Say({{"roles", 1}});
  EXPECT_THAT(Run({"--output", file_}).err, HasSubstr("the broker's answer makes no sense"));
  broker_.reset();
  const CommandResult metrics = Run({"--output", file_});
  EXPECT_EQ(metrics.status, 1);
  EXPECT_EQ(metrics.err, absl::StrCat("sockgate metrics: no broker at ", control_,
                                      ": there is no such path: is it started, with this "
                                      "--control?\n"));
  EXPECT_EQ(Contents(file_), "old");
  EXPECT_EQ(Files(), 1U);
}

TEST_F(MetricsCommand, WhatCannotBeWrittenIsAFailure) {
  const CommandResult metrics = Run({"--output", out_ + "/none/x.prom"});
  EXPECT_EQ(metrics.status, 1);
  EXPECT_THAT(metrics.err, StartsWith("sockgate metrics: cannot write "));
  EXPECT_EQ(RunSockgateInto("/dev/full", {"metrics", "--control", control_}), 1);
}

TEST_F(MetricsCommand, WithoutABrokersPathIsAnError) {
  EXPECT_EQ(RunSockgate({"metrics"}).status, 2);
}

}  // namespace
}  // namespace sockgate::testing
