#include "broker/control/audit_rotator.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <string>

#include "tests/broker/replace_world.h"

namespace sockgate {
namespace {

using testing::ReplaceWorld;
using testing::RoleThatAllows;
using testing::TestWorker;

class AuditRotatorTest : public ::testing::Test, protected ReplaceWorld {
 protected:
  AuditRotatorTest() : ReplaceWorld({RoleThatAllows("fetch", {})}) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    told_.Reset(ends[0]);
    log_ = std::make_unique<OperatorLog>(UniqueFd(ends[1]));
  }

  std::string Told() const {
    std::array<char, 4096> text;
    const ssize_t size = read(told_.get(), text.data(), text.size());
    return {text.data(), size > 0 ? static_cast<size_t>(size) : 0};
  }
  absl::Status Rotate(const AuditRotator::Opener& open) {
    return AuditRotator(&broker(), open, log_.get()).Rotate();
  }

  UniqueFd told_;
  std::unique_ptr<OperatorLog> log_;
};

TEST_F(AuditRotatorTest, TheLogGoesOnInTheNextFile) {
  StartRunning();
  TestWorker before = AddGreetedWorker("fetch");
  const UniqueFd next(memfd_create("next", MFD_CLOEXEC));
  const auto open = [&] { return UniqueFd(fcntl(next.get(), F_DUPFD_CLOEXEC, 0)); };
  ASSERT_TRUE(Rotate(open).ok());
  EXPECT_EQ(Told(), "sockgate broker: audit log opened anew\n");
  EXPECT_EQ(Audit("channel").size(), 1U) << "what waited was written";
  TestWorker after = AddGreetedWorker("fetch");
  End();
  EXPECT_EQ(Audit("channel").size(), 1U);
  EXPECT_GT(lseek(next.get(), 0, SEEK_END), 0);
}

TEST_F(AuditRotatorTest, WhatCannotBeOpenedIsTold) {
  StartRunning();
  const absl::Status status = Rotate([] { return absl::NotFoundError("no folder"); });
  EXPECT_EQ(status.message(), "no folder");
  EXPECT_EQ(Told(),
            "sockgate broker: audit log not opened anew: no folder; it goes on where it was\n");
  TestWorker worker = AddGreetedWorker("fetch");
  End();
  EXPECT_FALSE(Audit("channel").empty());
}

TEST_F(AuditRotatorTest, ABrokerThatHasStoppedIsNotWaitedFor) {
  StartRunning();
  Stop();
  EXPECT_FALSE(Rotate([] { return UniqueFd(memfd_create("next", MFD_CLOEXEC)); }).ok());
}

}  // namespace
}  // namespace sockgate
