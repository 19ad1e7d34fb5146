// The test plays the service manager.

#include "broker/service_notify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "proto/endpoint.h"
#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

using std::chrono::microseconds;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class ServiceNotifyTest : public ::testing::Test {
 protected:
  // Of which the environment tells by this name.
  void Listen(const Endpoint& at, const std::string& name) {
    manager_.Reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage address;
    const socklen_t length = at.ToSockaddr(&address);
    ASSERT_EQ(bind(manager_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  void Listen() { Listen(*Endpoint::Unix(path_), path_); }

  // The next message, or "".
  std::string Next() const {
    std::array<char, 4096> message;
    const ssize_t size = recv(manager_.get(), message.data(), message.size(), MSG_DONTWAIT);
    return size < 0 ? "" : std::string(message.data(), static_cast<size_t>(size));
  }

  static microseconds Period(const char* usec, const std::string& pid) {
    setenv("WATCHDOG_USEC", usec, 1);
    if (!pid.empty()) setenv("WATCHDOG_PID", pid.c_str(), 1);
    const auto notify = ServiceNotify::FromEnvironment();
    return notify.ok() ? notify->beat_period() : microseconds(-1);
  }

  const testing::TempFolder folder_;
  const std::string path_ = folder_ / "notify";
  UniqueFd manager_;
};

TEST_F(ServiceNotifyTest, SaysWhatTheManagerUnderstands) {
  Listen();
  const auto notify = ServiceNotify::FromEnvironment();
  ASSERT_TRUE(notify.ok()) << notify.status();
  EXPECT_TRUE(notify->connected());
  notify->Ready("policy 1");
  EXPECT_EQ(Next(), "READY=1\nMAINPID=" + std::to_string(getpid()) + "\nSTATUS=policy 1");
  timespec before;
  clock_gettime(CLOCK_MONOTONIC, &before);
  notify->Reloading();
  const std::string reloading = Next();
  EXPECT_THAT(reloading, MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  const int64_t usec = std::stoll(reloading.substr(reloading.rfind('=') + 1));
  EXPECT_GE(usec, int64_t{before.tv_sec} * 1'000'000 + before.tv_nsec / 1000);
  EXPECT_LT(usec, (int64_t{before.tv_sec} + 60) * 1'000'000);
  notify->Status("policy 2");
  EXPECT_EQ(Next(), "STATUS=policy 2");
  notify->Beat();
  EXPECT_EQ(Next(), "WATCHDOG=1");
  notify->Stopping();
  EXPECT_EQ(Next(), "STOPPING=1");
}

TEST_F(ServiceNotifyTest, TakesItsVariablesOutOfTheEnvironment) {
  Listen();
  EXPECT_EQ(Period("3000000", std::to_string(getpid())), microseconds(1'500'000));
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
    EXPECT_EQ(getenv(name), nullptr) << name;
  }
}

TEST_F(ServiceNotifyTest, AnAbstractName) {
  const std::string name = "sockgate-notify-" + std::to_string(getpid());
  Listen(*Endpoint::Unix('\0' + name), '@' + name);
  const auto notify = ServiceNotify::FromEnvironment();
  ASSERT_TRUE(notify.ok()) << notify.status();
  notify->Beat();
  EXPECT_EQ(Next(), "WATCHDOG=1");
}

TEST_F(ServiceNotifyTest, TheWatchdogOfAnotherProcessIsNotOurs) {
  Listen();
  EXPECT_EQ(Period("3000000", std::to_string(getpid() + 1)), microseconds(0));
  setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  EXPECT_EQ(Period("3000000", ""), microseconds(1'500'000));
}

TEST_F(ServiceNotifyTest, NonsenseIsAnError) {
  for (const char* usec : {"x", "0", "1", "-5", "3s", "99999999999999999999"}) {
    setenv("NOTIFY_SOCKET", path_.c_str(), 1);
    manager_.Reset();
    unlink(path_.c_str());
    Listen();
    EXPECT_EQ(Period(usec, ""), microseconds(-1)) << usec;
  }
  setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
  EXPECT_THAT(ServiceNotify::FromEnvironment().status().message(), HasSubstr("vsock:2:1"));
  setenv("NOTIFY_SOCKET", (folder_ / "nobody").c_str(), 1);
  EXPECT_THAT(ServiceNotify::FromEnvironment().status().message(), HasSubstr("nobody"));
}

TEST_F(ServiceNotifyTest, WithoutAManagerNothingHappens) {
  const auto notify = ServiceNotify::FromEnvironment();
  ASSERT_TRUE(notify.ok());
  EXPECT_FALSE(notify->connected());
  notify->Ready("x");
  notify->Beat();
}

// Nor one that has gone.
TEST_F(ServiceNotifyTest, AManagerThatDoesNotReadHoldsNothingUpForLong) {
  Listen();
  const auto notify = ServiceNotify::FromEnvironment();
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 100'000; ++i) notify->Beat();
  notify->Stopping();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  EXPECT_EQ(Next(), "WATCHDOG=1");
  manager_.Reset();
  notify->Ready("x");
}

}  // namespace
}  // namespace sockgate
