#include "tool/status_rates.h"

#include <gtest/gtest.h>

#include "tests/tool/status_reply.h"
#include "tool/status_reader.h"

namespace sockgate {
namespace {

using nlohmann::json;
using testing::FullStatusReply;

const BrokerReading::Rule kRule = {"deny-rule", 3, 12};

StatusRates Between(const json& before, const json& after, double seconds = 2) {
  return RatesBetween(*ReadStatus(before), *ReadStatus(after), seconds);
}

json Later() {
  json later = FullStatusReply();
  later["uptime_s"] = 14;
  later["process"]["cpu_us"] = 123456 + 500'000;
  later["audit"]["lines"] = 20;
  json& role = later["roles"][0];
  role["connects"]["asked"] = 12345 + 300;
  role["connects"]["denied"] = 6;
  role["lookups"]["asked"] = 51;
  role["denials"][0]["count"] = 8;
  role["connect_us"] = json::parse(
      R"({"count": 110, "sum": 125456, "le": [[50, 0], [100, 60], [1000, 100], [1000000, 110]]})");
  return later;
}

TEST(StatusRates, AreWhatWasAddedPerSecond) {
  const StatusRates rates = Between(FullStatusReply(), Later());
  EXPECT_FALSE(rates.restarted);
  EXPECT_EQ(rates.audit_lines, 5);
  EXPECT_EQ(rates.cache_hits, 0);
  EXPECT_EQ(rates.cpu_share, 0.25);
  const StatusRates::Role& role = rates.roles.at("fetch");
  EXPECT_EQ(role.asked, 150);
  EXPECT_EQ(role.denied, 0.5);
  EXPECT_EQ(role.limited, 0);
  EXPECT_EQ(role.lookups, 0.5);
  EXPECT_EQ(role.denials.at(kRule), 2);
  EXPECT_EQ(role.connect_times->count, 10U);
  EXPECT_EQ(QuantileText(role.connect_times, 0.5), "75us");
}

// A count of each kind goes back.
TEST(StatusRates, ACountThatWentBackIsOfABrokerThatStartedAnew) {
  for (const char* path : {"/roles/0/connects/asked", "/roles/0/lookups/asked", "/audit/lines",
                           "/process/wakeups", "/uptime_s", "/resolver/cache/hits"}) {
    json after = Later();
    after[json::json_pointer(path)] = 0;
    const StatusRates rates = Between(FullStatusReply(), after);
    EXPECT_TRUE(rates.restarted) << path;
    EXPECT_TRUE(rates.roles.empty()) << path;
    EXPECT_FALSE(rates.audit_lines.has_value()) << path;
  }
}

TEST(StatusRates, ABrokerThatStartedAtAnotherTimeIsAnotherEvenIfItCountedMore) {
  json after = Later();
  after["started_at"] = "2026-01-02T03:04:06Z";
  EXPECT_TRUE(Between(FullStatusReply(), after).restarted);
}

TEST(StatusRates, DenialsBeginAnewWithEachPolicy) {
  json after = Later();
  after["policy"]["generation"] = 4;
  after["roles"][0]["denials"][0]["count"] = 1;
  StatusRates rates = Between(FullStatusReply(), after);
  EXPECT_FALSE(rates.restarted);
  EXPECT_TRUE(rates.roles.at("fetch").denials.empty());
  EXPECT_EQ(rates.roles.at("fetch").asked, 150);
  // More than before, though of another policy.
  after["roles"][0]["denials"][0]["count"] = 100;
  EXPECT_TRUE(Between(FullStatusReply(), after).roles.at("fetch").denials.empty());
}

TEST(StatusRates, ARuleThatWasNotListedHasNone) {
  json before = FullStatusReply();
  before["roles"][0]["denials"] = json::array();
  EXPECT_TRUE(Between(before, Later()).roles.at("fetch").denials.empty());
}

TEST(StatusRates, OfWhatOneReadingDoesNotSayThereAreNone) {
  const json old = testing::OldStatusReply();
  for (const auto& rates : {Between(old, Later()), Between(Later(), old), Between(old, old)}) {
    EXPECT_FALSE(rates.restarted);
    EXPECT_FALSE(rates.roles.at("fetch").asked.has_value());
    EXPECT_FALSE(rates.roles.at("fetch").connect_times.has_value());
  }
  json after = Later();
  after["roles"][0]["name"] = "other";
  EXPECT_TRUE(Between(FullStatusReply(), after).roles.empty());
}

TEST(StatusRates, InNoTimeThereAreNone) {
  for (const double seconds : {0.0, -1.0}) {
    EXPECT_TRUE(Between(FullStatusReply(), Later(), seconds).roles.empty());
  }
}

}  // namespace
}  // namespace sockgate
