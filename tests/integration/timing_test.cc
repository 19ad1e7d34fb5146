// Where time is the behaviour: black holes, Happy Eyeballs, and many transfers in one multi handle.
// Each bound tells the right behaviour from the wrong one, which takes seconds; none measures
// speed.

#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/integration/confined.h"
#include "tests/integration/server_process.h"
#include "tests/integration/transfer.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/test_namespace.h"

namespace sockgate::testing {
namespace {

CurlAdapterOptions InProgress() {
  return {ConnectMode::kInProgress, std::chrono::seconds(30), nullptr};
}

// "CODExCOUNT ..." and the longest time.
std::string Summary(const std::vector<Ended>& all, int64_t most_ms) {
  std::map<int, int> codes;
  int64_t longest = 0;
  for (const Ended& ended : all) {
    ++codes[ended.code];
    longest = std::max(longest, ended.ms);
  }
  std::string text;
  for (const auto& [code, count] : codes) absl::StrAppend(&text, code, "x", count, " ");
  return absl::StrCat(text,
                      longest <= most_ms ? "in time" : absl::StrCat("after ", longest, " ms"));
}

TEST(Timing, ABlackHoleEndsAtConnectTimeout) {
  BrokerProcess broker = StartBroker({"203.0.113.0/24:*"});
  const std::string text = RunConfined(broker, [](BrokerClient& client) {
    CurlAdapter adapter(&client, InProgress());
    TransferOptions options;
    options.connect_timeout_ms = 700;
    const Ended ended = Perform(adapter, absl::StrCat("http://", kBlackHoleV4, "/"), options);
    const bool in_time = ended.ms >= 690 && ended.ms < 1500;
    return absl::StrCat("code ", ended.code,
                        in_time ? " in time" : absl::StrCat(" after ", ended.ms));
  });
  EXPECT_EQ(text, "code 28 in time");
}

TEST(Timing, ABlackHoleEndsAtTheBrokersDeadlineInConnectedMode) {
  BrokerProcess broker = StartBroker({"203.0.113.0/24:*"});
  const std::string text = RunConfined(broker, [](BrokerClient& client) {
    CurlAdapter adapter(&client,
                        {ConnectMode::kConnected, std::chrono::milliseconds(700), nullptr});
    const Ended ended = Perform(adapter, absl::StrCat("http://", kBlackHoleV4, "/"));
    const bool in_time = ended.ms >= 690 && ended.ms < 1500;
    return absl::StrCat(ended.explanation, in_time ? ", in time" : ", late");
  });
  EXPECT_EQ(text,
            "203.0.113.66:80: allowed, but the connection failed: Connection timed out, in time");
}

TEST(Timing, HappyEyeballsFallsBackFromADeadFirstAddress) {
  ServerProcess server({});
  BrokerProcess broker = StartBroker({"[2001:db8::/32]:*", "127.0.0.1:*"});
  const std::string text = RunConfined(broker, [&](BrokerClient& client) {
    CurlAdapter adapter(&client, InProgress());
    TransferOptions options;
    options.resolve = {absl::StrCat("a.test:", server.port(), ":[", kBlackHoleV6, "],127.0.0.1")};
    const Ended ended =
        Perform(adapter, absl::StrCat("http://a.test:", server.port(), "/status/204"), options);
    const bool in_time = ended.ms >= 150 && ended.ms < 1000;
    return absl::StrCat(ended.ToString(), in_time ? "in time" : absl::StrCat(ended.ms, " ms"));
  });
  EXPECT_EQ(text, "code 0 status 204 body in time");
}

class TogetherTest : public ::testing::TestWithParam<ConnectMode> {};

INSTANTIATE_TEST_SUITE_P(Modes, TogetherTest,
                         ::testing::Values(ConnectMode::kConnected, ConnectMode::kInProgress));

TEST_P(TogetherTest, TwoHundredTransfersInOneMulti) {
  ServerProcess server({});
  BrokerProcess broker = StartBroker({"127.0.0.1:*"});
  const ConnectMode mode = GetParam();
  EXPECT_EQ(RunConfined(broker,
                        [&](BrokerClient& client) {
                          CurlAdapter adapter(&client, {mode, std::chrono::seconds(10), nullptr});
                          const std::vector<std::string> urls(200, server.Url("/slow/100"));
                          return Summary(PerformTogether(adapter, urls), 10000);
                        }),
            "0x200 in time");
}

TEST(Timing, GoodDeadAndRefusedTogetherTakeOneConnectTimeout) {
  ServerProcess server({});
  const auto refusing = RefusingPort::Reserve();
  ASSERT_TRUE(refusing.ok());
  BrokerProcess broker = StartBroker({"127.0.0.1:*", "203.0.113.0/24:*"});
  const std::string text = RunConfined(broker, [&](BrokerClient& client) {
    CurlAdapter adapter(&client, InProgress());
    std::vector<std::string> urls;
    for (int i = 0; i < 50; ++i) {
      urls.push_back(server.Url("/status/204"));
      urls.push_back(absl::StrCat("http://", kBlackHoleV4, ":", 1000 + i, "/"));
      urls.push_back(absl::StrCat("http://127.0.0.1:", refusing->port(), "/", i));
    }
    TransferOptions options;
    options.connect_timeout_ms = 1500;
    return Summary(PerformTogether(adapter, urls, options), 4000);
  });
  EXPECT_EQ(text, "0x50 7x50 28x50 in time");
}

}  // namespace
}  // namespace sockgate::testing
