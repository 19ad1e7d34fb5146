// Ten thousand requests while the policy changes all the time: none is lost, and none is judged by
// half a policy.
//
// Two policies that differ in everything take turns: the odd ones allow one port alone, the even
// ones the other. Between them come files that are wrong, some of which allow both ports before
// the error.

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/loopback_tcp.h"
#include "tests/tool/policy_daemon.h"
#include "tool/control_client.h"

namespace sockgate::testing {
namespace {

using nlohmann::json;

constexpr int kWorkers = 4;
constexpr int kRequestsEach = 2500;
constexpr int kLeastReloads = 20;

class ReloadLoad : public ::testing::Test, protected PolicyDaemon {
 protected:
  uint16_t Port(bool odd) const { return odd ? odd_.port() : even_.port(); }
  std::string Good(bool odd) const { return PolicyText(absl::StrCat(Port(odd))); }

  std::string Bad(int i) const {
    const std::string both = PolicyText(absl::StrCat(odd_.port(), ",", even_.port()));
    switch (i % 4) {
      case 0:
        return both + "alow = []\n";
      case 1:
        return both + "deny = [ { cidr = \"127.0.0.1";
      case 2:
        return "";
      default:
        return "version = 2\n";
    }
  }

  // Asks for both ports in turn; 'a' for each request that is let through, 'd' for each denied.
  std::string AskAll() const {
    TestWorker worker = Worker();
    TestWorker minted(worker.Ask(OpenChannelRequest()).descriptor);
    std::string heard;
    for (int i = 0; i < kRequestsEach; ++i) {
      const Result result = minted.Ask(ConnectTo("127.0.0.1", Port(i % 2 != 0))).result();
      const bool failed = result.outcome == Outcome::kFailed && result.error == ECONNREFUSED;
      heard += failed ? 'a' : result.outcome == Outcome::kDenied ? 'd' : '?';
    }
    return heard;
  }

  // The next policy, by the command's way or by a signal.
  void Advance(int to) {
    WritePolicy(Good(to % 2 != 0));
    if (to % 3 == 0) {
      Signal(SIGHUP);
    } else {
      const auto reply = AskBroker(control(), "reload");
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(reply->at("generation"), to);
    }
    ASSERT_TRUE(Await([to](const json& status) { return status["policy"]["generation"] == to; }));
  }

  void Refuse(int i) {
    WritePolicy(Bad(i));
    const auto reply = AskBroker(control(), "reload");
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->at("loaded"), false) << i;
  }

  const RefusingPort odd_ = *RefusingPort::Reserve();
  const RefusingPort even_ = *RefusingPort::Reserve();
};

// What the log says of each worker, in the form of AskAll().
std::vector<std::string> Judged(const std::vector<json>& log, uint16_t odd_port) {
  std::map<int, std::string> by_channel;
  int64_t in_force = 1;
  for (const json& line : log) {
    if (line.at("event") == "policy") in_force = line.at("policy");
    if (line.at("event") != "decision") continue;
    const bool to_odd = line.at("target") == absl::StrCat("127.0.0.1:", odd_port);
    const bool allowed = to_odd == (in_force % 2 != 0);
    EXPECT_EQ(line.at("policy"), in_force) << line;
    EXPECT_EQ(line.at("verdict"), allowed ? "allow" : "deny") << line;
    by_channel[line.at("channel")] += line.at("verdict") == "allow" ? 'a' : 'd';
  }
  std::vector<std::string> all;
  for (auto& [channel, text] : by_channel) all.push_back(std::move(text));
  std::sort(all.begin(), all.end());
  return all;
}

TEST_F(ReloadLoad, NoRequestIsLostAndNoneSeesHalfAPolicy) {
  WritePolicy(Good(true));
  ASSERT_TRUE(Start()) << StandardError();
  std::vector<std::string> heard(kWorkers);
  std::atomic<int> asking = kWorkers;
  std::vector<std::thread> workers;
  for (std::string& one : heard) {
    workers.emplace_back([&] {
      one = AskAll();
      --asking;
    });
  }
  int generation = 1;
  for (; asking > 0 || generation < kLeastReloads; ++generation) {
    Refuse(generation);
    Advance(generation + 1);
    if (HasFatalFailure()) break;
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(Stop(), 0);

  std::sort(heard.begin(), heard.end());
  for (const std::string& one : heard) {
    EXPECT_EQ(one.size(), static_cast<size_t>(kRequestsEach));
    EXPECT_EQ(one.find('?'), std::string::npos);
  }
  EXPECT_EQ(Judged(Audit(), odd_.port()), heard);
  RecordProperty("reloads", generation - 1);
}

}  // namespace
}  // namespace sockgate::testing
