// A name whose IPv6 address is dead and whose IPv4 address is alive: libcurl's own Happy Eyeballs,
// through the broker.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/names/audit_file.h"
#include "tests/integration/names/dnsmasq.h"
#include "tests/integration/names/names_broker.h"
#include "tests/integration/names/names_worker.h"
#include "tests/integration/names/places.h"
#include "tests/integration/server_process.h"
#include "tests/support/test_namespace.h"

namespace sockgate::testing {
namespace {

// CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS says 200 by default.
constexpr int64_t kHeadStartMs = 200;
constexpr std::chrono::seconds kDeadline(5);

class HappyEyeballsTest : public ::testing::Test {
 protected:
  std::string Url(const std::string& host) const {
    return absl::StrCat("http://", host, ":", server_.port(), "/status/204");
  }

  // Each transfer in a line: how it ended, and after how long, in words.
  std::string FetchTogether(ConnectMode mode, const std::vector<std::string>& hosts) {
    std::vector<std::string> urls;
    for (const std::string& host : hosts) urls.push_back(Url(host));
    return NamesWorker(broker_,
                       [&](const NamesWorker::Inside& inside) {
                         CurlAdapter adapter(&inside.client(), {mode, kDeadline, nullptr});
                         std::string text;
                         for (const Ended& ended : PerformTogether(adapter, urls)) {
                           absl::StrAppend(&text, ended.ToString(), Pace(ended.ms), "\n");
                         }
                         return text;
                       })
        .Text();
  }

  // Generous towards a busy machine, and still far from the deadline.
  static std::string Pace(int64_t ms) {
    if (ms < kHeadStartMs - 20) return "at once";
    if (ms < 2000) return "after the head start";
    return ms < std::chrono::milliseconds(kDeadline).count() ? "late" : "after the deadline";
  }

  // The dead address is of a range for documentation, so the rule says `private`.
  const Dnsmasq dns_{{absl::StrCat("--host-record=both.test,8.8.8.1,", kBlackHoleV6),
                      "--host-record=alive.test,8.8.8.1"}};
  ServerProcess server_{ServerAt(PublicAddress(1))};
  AuditFile audit_;
  BrokerProcess broker_ = StartNamesBroker(
      OneRole(dns_.port(), "allow = [{ host = '*.test', ports = '*', private = true }]\n"), audit_);
};

TEST_F(HappyEyeballsTest, InProgressModeGoesOnAfterTheHeadStart) {
  EXPECT_EQ(FetchTogether(ConnectMode::kInProgress, {"both.test"}),
            "code 0 status 204 body after the head start\n");
}

TEST_F(HappyEyeballsTest, InProgressModeHoldsUpNoOtherTransfer) {
  EXPECT_EQ(FetchTogether(ConnectMode::kInProgress, {"both.test", "alive.test", "alive.test"}),
            "code 0 status 204 body after the head start\n"
            "code 0 status 204 body at once\n"
            "code 0 status 204 body at once\n");
}

// There the callback waits for the handshake, so libcurl's clock has no say: it hears of the dead
// address when the adapter's deadline has passed, and takes the other one then.
TEST_F(HappyEyeballsTest, ConnectedModeGoesOnAfterTheDeadline) {
  EXPECT_EQ(FetchTogether(ConnectMode::kConnected, {"both.test"}),
            "code 0 status 204 body after the deadline\n");
}

TEST_F(HappyEyeballsTest, TheDeadAddressWasTriedFirst) {
  FetchTogether(ConnectMode::kInProgress, {"both.test"});
  broker_.Stop();
  const auto decisions = audit_.Lines("decision");
  ASSERT_EQ(decisions.size(), 2U);
  EXPECT_EQ(decisions[0].at("target"), absl::StrCat("[", kBlackHoleV6, "]:", server_.port()));
  EXPECT_EQ(decisions[1].at("target"), absl::StrCat("8.8.8.1:", server_.port()));
  EXPECT_EQ(decisions[0].at("names").at(0), "both.test");
}

}  // namespace
}  // namespace sockgate::testing
