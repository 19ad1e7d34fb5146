// `sockgate revoke`, and a reload, against a download that is running.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/endpoint.h"
#include "proto/packet_socket.h"
#include "tests/integration/confined.h"
#include "tests/integration/transfer.h"
#include "tests/support/loopback_tcp.h"
#include "tests/tool/command.h"
#include "tests/tool/policy_daemon.h"

namespace sockgate::testing {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

class RevokeCommand : public ::testing::Test, protected PolicyDaemon {
 protected:
  std::string Tracking(const std::string& ports) const {
    return absl::StrCat(PolicyText(ports), "track = true\n");
  }
  CommandResult Revoke(std::vector<std::string> which) const {
    which.insert(which.begin(), {"revoke", "--control", control()});
    return RunSockgate(which);
  }

  UniqueFd ConnectToPath() const {
    sockaddr_storage address;
    const socklen_t length = Endpoint::Unix(path())->ToSockaddr(&address);
    UniqueFd channel(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(channel.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_TRUE(PrepareWorkerEnd(channel.get()));
    return channel;
  }
  // A confined worker that downloads, and tells how that ended and what it had by then.
  ConfinedRun Download() const {
    return ConfinedRun(ConnectToPath(), [this](BrokerClient& client) {
      CurlAdapter adapter(&client, {ConnectMode::kInProgress, std::chrono::seconds(10), nullptr});
      const Ended ended = Perform(adapter, absl::StrCat("http://127.0.0.1:", server_->port(), "/"));
      return absl::StrCat("code ", ended.code, " body ", ended.body);
    });
  }
  // The server's side of it, in the middle.
  UniqueFd Half() const {
    auto socket = server_->Accept(std::chrono::seconds(10));
    EXPECT_TRUE(socket.ok()) << socket.status();
    std::string head(4096, '\0');
    EXPECT_GT(recv(socket->get(), head.data(), head.size(), 0), 0);
    const std::string begin = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf";
    EXPECT_EQ(send(socket->get(), begin.data(), begin.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(begin.size()));
    return *std::move(socket);
  }
  std::vector<json> Lines(const std::string& event) const {
    std::vector<json> lines;
    for (const json& line : Audit()) {
      if (line.at("event") == event) lines.push_back(line);
    }
    return lines;
  }

  const absl::StatusOr<SilentListener> server_ = SilentListener::Listen();
};

const std::string kCutShort = absl::StrCat("code ", CURLE_PARTIAL_FILE, " body half");

TEST_F(RevokeCommand, EndsADownloadAtOnce) {
  WritePolicy(Tracking(absl::StrCat(server_->port())));
  ASSERT_TRUE(Start()) << StandardError();
  ConfinedRun run = Download();
  const UniqueFd half = Half();
  // What does not match goes on.
  const CommandResult none = Revoke({"--role", "fetch", "--to", "10.0.0.0/8"});
  EXPECT_EQ(none.status, 0) << none.err;
  EXPECT_EQ(none.out, "0 connections ended; only those of roles with track = true can be\n");
  // And of whom nobody knows anything it is not said that they have none.
  const CommandResult no_role = Revoke({"--role", "fetsh"});
  EXPECT_EQ(no_role.status, 1);
  EXPECT_EQ(no_role.err, "sockgate revoke: there is no role 'fetsh': write 'fetch'\n");
  const CommandResult no_worker = Revoke({"--worker", "77"});
  EXPECT_EQ(no_worker.status, 1);
  EXPECT_THAT(no_worker.err, HasSubstr("sockgate revoke: there is no worker 77: "));
  const auto begun = steady_clock::now();
  const CommandResult revoke = Revoke({"--role", "fetch", "--to", "127.0.0.0/8"});
  EXPECT_EQ(revoke.status, 0) << revoke.err;
  EXPECT_EQ(revoke.out, "1 connection ended\n");
  EXPECT_EQ(run.Text(), kCutShort);
  EXPECT_LT(steady_clock::now() - begun, std::chrono::seconds(5));
  EXPECT_EQ(Stop(), 0);
  const auto connections = Lines("connection");
  ASSERT_EQ(connections.size(), 1U);
  EXPECT_EQ(connections[0].at("closed_by"), "revoked");
  const auto revocations = Lines("revoke");
  ASSERT_EQ(revocations.size(), 2U);
  EXPECT_EQ(revocations[1].at("by"), "control");
  EXPECT_EQ(revocations[1].at("uid"), getuid());
  EXPECT_EQ(revocations[1].at("role"), "fetch");
  EXPECT_EQ(revocations[1].at("to"), "127.0.0.0/8");
  EXPECT_EQ(revocations[1].at("connections"), 1);
}

TEST_F(RevokeCommand, EndsThemAllIfThatIsSaid) {
  WritePolicy(Tracking(absl::StrCat(server_->port())));
  ASSERT_TRUE(Start()) << StandardError();
  ConfinedRun one = Download();
  ConfinedRun two = Download();
  const UniqueFd first = Half();
  const UniqueFd second = Half();
  EXPECT_EQ(Revoke({"--all"}).out, "2 connections ended\n");
  EXPECT_EQ(one.Text(), kCutShort);
  EXPECT_EQ(two.Text(), kCutShort);
}

TEST_F(RevokeCommand, AReloadThatDeniesItEndsADownloadToo) {
  WritePolicy(Tracking(absl::StrCat(server_->port())));
  ASSERT_TRUE(Start()) << StandardError();
  ConfinedRun run = Download();
  const UniqueFd half = Half();
  const auto reload = [this] { return RunSockgate({"reload", "--control", control()}).status; };
  EXPECT_EQ(reload(), 0);
  EXPECT_TRUE(Lines("connection").empty()) << "the same policy";
  WritePolicy(Tracking("1"));
  EXPECT_EQ(reload(), 0);
  EXPECT_EQ(run.Text(), kCutShort);
  EXPECT_EQ(Stop(), 0);
  ASSERT_EQ(Lines("connection").size(), 1U);
  EXPECT_EQ(Lines("connection")[0].at("closed_by"), "policy");
}

TEST_F(RevokeCommand, WhatItCannotBeAsked) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "sockgate revoke: say which: --role, --worker or --to; or --all\n"},
      {{"--all", "--role", "r"},
       "sockgate revoke: --all goes with none of --role, --worker and --to\n"},
      {{"--role", "a b"}, "sockgate revoke: 'a b' is no name of a role\n"},
      {{"--to", "10.0.0.1/8"},
       "sockgate revoke: '10.0.0.1/8' has bits set beyond its prefix: write \"10.0.0.0/8\", "
       "or \"10.0.0.1\" alone\n"},
  };
  for (const auto& [which, error] : cases) {
    const CommandResult result = Revoke(which);
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.err, error);
  }
  EXPECT_EQ(Revoke({"--worker", "x"}).status, 2);
  EXPECT_EQ(Revoke({"--worker", "-1"}).status, 2);
  EXPECT_EQ(RunSockgate({"revoke", "--all"}).status, 2) << "of which broker?";
  const CommandResult nobody = Revoke({"--all"});
  EXPECT_EQ(nobody.status, 1);
  EXPECT_THAT(nobody.err, HasSubstr("no broker at"));
}

}  // namespace
}  // namespace sockgate::testing
