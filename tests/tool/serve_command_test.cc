// `sockgate serve`: a broker on a path, for a program that finds it there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client/broker_client.h"
#include "proto/check.h"
#include "tests/integration/server_process.h"
#include "tests/tool/command.h"

namespace sockgate::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

// A folder with a short name: a socket's path has 107 bytes at most, and Bazel's own folders take
// more.
std::string ShortFolder() {
  std::string name = "/tmp/sockgate-test-XXXXXX";
  SOCKGATE_CHECK(mkdtemp(name.data()) != nullptr);
  return name;
}

class ServeCommand : public ::testing::Test {
 protected:
  ~ServeCommand() override {
    if (pid_ > 0) Stop();
    unlink(absl::StrCat(path_, ".err").c_str());
    rmdir(folder_.c_str());
  }

  void Start(const std::vector<std::string>& rules) {
    std::vector<std::string> arguments = {"serve", "--listen", path_};
    arguments.insert(arguments.end(), rules.begin(), rules.end());
    pid_ = StartSockgate(arguments, absl::StrCat(path_, ".err"));
  }

  // What one says that cannot start.
  static std::string Refusal(std::vector<std::string> options) {
    options.insert(options.begin(), "serve");
    const CommandResult result = RunSockgate(options);
    EXPECT_EQ(result.status, 1);
    return result.err;
  }

  // How the daemon ended after SIGTERM.
  int Stop() {
    kill(pid_, SIGTERM);
    int status = -1;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

  absl::StatusOr<std::unique_ptr<BrokerClient>> Client() {
    for (int i = 0; i < 500; ++i) {
      auto client = BrokerClient::FromPath(path_);
      if (client.ok()) return client;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return absl::DeadlineExceededError("the daemon did not start");
  }

  ServerProcess server_{{}};
  const std::string folder_ = ShortFolder();
  const std::string path_ = absl::StrCat(folder_, "/socket");
  pid_t pid_ = -1;
};

std::string Ask(BrokerClient& client, const std::string& address, uint16_t port) {
  ConnectRequest request;
  request.endpoint = Endpoint::Ip(*IpAddress::Parse(address), port);
  request.deadline_ms = 5000;
  request.purpose = Purpose::kDirect;
  return client.Connect(request).error.ToString();
}

TEST_F(ServeCommand, ServesWhoeverConnectsToItsPath) {
  Start({"--allow", "127.0.0.0/8:*", "--deny", "127.0.0.2:*"});
  auto client = Client();
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_EQ(Ask(**client, "127.0.0.1", server_.port()), "no error");
  EXPECT_EQ(Ask(**client, "127.0.0.2", server_.port()), "denied by rule 2 (deny-rule)");
  EXPECT_EQ(Ask(**client, "::1", server_.port()), "denied by the default (no-rule-matches)");
  auto other = BrokerClient::FromPath(path_);
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(Ask(**other, "127.0.0.1", server_.port()), "no error");
  EXPECT_EQ(Stop(), 0);
}

TEST_F(ServeCommand, ThePathIsForItsOwnerAndGoesWithTheDaemon) {
  Start({});
  ASSERT_TRUE(Client().ok());
  struct stat status;
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(Stop(), 0);
  EXPECT_NE(stat(path_.c_str(), &status), 0);
}

TEST_F(ServeCommand, ADaemonThatWasKilledCanBeStartedAgain) {
  Start({"--allow", "127.0.0.1:*"});
  ASSERT_TRUE(Client().ok());
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  Start({"--allow", "127.0.0.1:*"});
  auto client = Client();
  ASSERT_TRUE(client.ok());
  EXPECT_EQ(Ask(**client, "127.0.0.1", server_.port()), "no error");
  EXPECT_EQ(Stop(), 0);
}

TEST_F(ServeCommand, RefusesASecondDaemonOnThePath) {
  Start({});
  ASSERT_TRUE(Client().ok());
  EXPECT_THAT(Refusal({"--listen", path_}),
              EndsWith(absl::StrCat("cannot listen on ", path_, ": another broker listens there ",
                                    "(process ", pid_, "): stop it, or name another path\n")));
  EXPECT_TRUE(Client().ok());
  EXPECT_EQ(Stop(), 0);
}

TEST_F(ServeCommand, APathThatCannotBeMadeIsAnErrorThatSaysWhatToDo) {
  const std::string in_none = absl::StrCat(folder_, "/none/x");
  const std::string make_it =
      absl::StrCat("there is no folder ", folder_, "/none: make it first\n");
  EXPECT_THAT(Refusal({"--listen", in_none}),
              EndsWith(absl::StrCat("cannot listen on ", in_none, ": ", make_it)));
  EXPECT_THAT(Refusal({"--listen", path_, "--audit", in_none}),
              EndsWith(absl::StrCat("cannot write ", in_none, ": ", make_it)));
  const std::string in_file = "/dev/null/x";
  EXPECT_THAT(Refusal({"--listen", in_file}), HasSubstr("/dev/null is no folder"));
  EXPECT_THAT(Refusal({"--listen", path_, "--audit", folder_}), HasSubstr("name a file in it"));
  EXPECT_THAT(Refusal({"--listen", std::string(108, 'x')}),
              HasSubstr("is too long for a socket's path: 108 bytes, where 107 fit"));
  std::ofstream(path_) << "text";
  EXPECT_THAT(Refusal({"--listen", path_}),
              HasSubstr(absl::StrCat(path_, ": what is there is no socket: name another path")));
  unlink(path_.c_str());
}

TEST_F(ServeCommand, WhatItsUserMayNotIsAnErrorThatNamesTheUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can have the broker be another user";
  const std::string whose = " (of root, mode 0700): let it, or name another folder\n";
  EXPECT_THAT(Refusal({"--listen", path_, "--user", "nobody"}),
              EndsWith(absl::StrCat("user 65534 may not make it in ", folder_, whose)));
  EXPECT_THAT(Refusal({"--listen", "/tmp/x", "--user", "nobody", "--audit", path_}),
              EndsWith(absl::StrCat("user 65534 may not make it in ", folder_, whose)));
  EXPECT_THAT(Refusal({"--listen", absl::StrCat(folder_, "/in/x"), "--user", "nobody"}),
              HasSubstr("user 65534 may not enter a folder above "));
}

TEST_F(ServeCommand, ABadRuleIsAUsageError) {
  EXPECT_EQ(RunSockgate({"serve", "--listen", path_, "--allow", "127.0.0.1:0"}).status, 2);
}

}  // namespace
}  // namespace sockgate::testing
