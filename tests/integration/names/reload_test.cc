// A reload judges leases anew: `sockgate serve --policy`, `sockgate reload`, and a worker that
// found out about a name before.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "proto/endpoint.h"
#include "tests/broker/temp_folder.h"
#include "tests/integration/names/dnsmasq.h"
#include "tests/integration/names/names_broker.h"
#include "tests/integration/names/names_worker.h"
#include "tests/integration/names/places.h"
#include "tests/integration/server_process.h"
#include "tests/tool/command.h"

namespace sockgate::testing {
namespace {

class ReloadTest : public ::testing::TestWithParam<ConnectMode> {
 protected:
  void SetUp() override {
    WritePolicy("allow = [{ host = 'name.test', ports = '*' }]\n");
    pid_ = StartSockgate({"serve", "--policy", policy_, "--control", control_}, folder_ / "errors");
    for (int i = 0; i < 500 && RunSockgate({"status", "--control", control_}).status != 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  void TearDown() override {
    kill(pid_, SIGTERM);
    EXPECT_EQ(waitpid(pid_, nullptr, 0), pid_);
  }

  void WritePolicy(const std::string& role) const {
    std::ofstream(policy_) << PolicyText(dns_.port(), absl::StrCat("[[listen]]\npath = '", path_,
                                                                   "'\nrole = 'test'\n"
                                                                   "[roles.test]\n",
                                                                   role));
  }

  void Reload(const std::string& role) const {
    WritePolicy(role);
    const CommandResult result = RunSockgate({"reload", "--control", control_});
    EXPECT_EQ(result.status, 0) << result.err;
  }

  UniqueFd Channel() const {
    UniqueFd channel(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_storage address;
    const socklen_t length = Endpoint::Unix(path_)->ToSockaddr(&address);
    EXPECT_EQ(connect(channel.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    return channel;
  }

  // By the name, then by the address alone, which a lease makes good.
  std::string FetchBoth(BrokerClient& client) const {
    std::string text;
    for (const char* host : {"name.test", "8.8.8.1"}) {
      const std::string url = absl::StrCat("http://", host, ":", server_.port(), "/status/204");
      absl::StrAppend(&text, Fetch(client, GetParam(), url), "\n");
    }
    return text;
  }

  // The two lines of FetchBoth().
  std::string Both(const std::string& by_name, const std::string& by_address) const {
    const bool well = by_address.empty();
    return absl::StrCat(
        by_name.empty() ? kWell : absl::StrCat("code 6 errno 0; name.test: ", by_name), "\n",
        well ? kWell : absl::StrCat("code 7 errno 0; 8.8.8.1:", server_.port(), ": ", by_address),
        "\n");
  }

  const Dnsmasq dns_{{"--host-record=name.test,8.8.8.1"}};
  ServerProcess server_{ServerAt(PublicAddress(1))};
  const TempFolder folder_;
  const std::string policy_ = folder_ / "policy.toml";
  const std::string control_ = folder_ / "control";
  const std::string path_ = folder_ / "broker";
  pid_t pid_ = -1;
};

INSTANTIATE_TEST_SUITE_P(Modes, ReloadTest, BothModes(), ModeName);

TEST_P(ReloadTest, ALeaseIsJudgedByThePolicyInForce) {
  NamesWorker worker(Channel(), [&](const NamesWorker::Inside& inside) {
    std::string text = FetchBoth(inside.client());
    for (int i = 0; i < 3; ++i) {
      inside.Pause();
      text += FetchBoth(inside.client());
    }
    return text;
  });
  worker.AwaitPause();
  Reload("allow = [{ host = 'other.test', ports = '*' }]\n");
  worker.Resume();
  worker.AwaitPause();
  // The address alone would be allowed, but the worker knows under which name it stands.
  Reload("allow = [{ cidr = '8.8.8.1', ports = '*' }]\ndeny = [{ host = 'name.test' }]\n");
  worker.Resume();
  worker.AwaitPause();
  Reload("allow = [{ host = 'name.test', ports = '*' }]\n");
  worker.Resume();
  const std::string by_default = "denied by the default (no-rule-matches)";
  const std::string by_name = "denied by rule 2 (deny-rule)";
  EXPECT_EQ(worker.Text(), absl::StrCat(Both("", ""), Both(by_default, by_default),
                                        Both(by_name, by_name), Both("", "")));
}

}  // namespace
}  // namespace sockgate::testing
