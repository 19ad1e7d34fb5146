#include "tool/status_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tool/status_reply.h"

namespace sockgate {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using testing::FullStatusReply;
using testing::OldStatusReply;

constexpr uint64_t kMost = 18446744073709551615U;

BrokerReading Read(const json& reply) {
  auto reading = ReadStatus(reply);
  EXPECT_TRUE(reading.ok()) << reading.status();
  return reading.ok() ? *std::move(reading) : BrokerReading();
}

TEST(StatusReader, ReadsEachField) {
  const BrokerReading reading = Read(FullStatusReply());
  EXPECT_EQ(reading.policy.generation, 3U);
  EXPECT_FALSE(reading.policy.last_error.has_value());
  EXPECT_EQ(reading.started_at, "2026-01-02T03:04:05Z");
  EXPECT_EQ(reading.uptime_s, 12U);
  EXPECT_EQ(reading.threads, 2U);
  EXPECT_EQ(reading.stopping, false);
  EXPECT_EQ(reading.process.descriptors, 40U);
  EXPECT_EQ(reading.process.cpu_us, 123456U);
  EXPECT_EQ(reading.audit->waiting_bytes, 2048U);
  EXPECT_EQ(reading.resolver->cache_misses, 4U);
  EXPECT_EQ(reading.cage, "full: uid 0, seccomp");
  EXPECT_EQ(reading.listen.at(0).path, "/run/sockgate/fetch");
  const BrokerReading::Role& role = reading.roles.at("fetch");
  EXPECT_EQ(role.unread, 2U);
  EXPECT_EQ(role.tracked, 3U);
  EXPECT_EQ(role.connects.done, 100U);
  EXPECT_EQ(role.connects.bad_request, 1U);
  EXPECT_EQ(role.lookups.done, 45U);
  EXPECT_EQ(role.limits.at("too-many-pending"), 3U);
  EXPECT_EQ(role.denials.at({"deny-rule", 3, 12}), 4U);
  EXPECT_EQ(role.violations, 8U);
  EXPECT_EQ(role.bytes_received, 3145728U);
  EXPECT_EQ(role.connect_times->buckets.at(2).count, 90U);
}

TEST(StatusReader, WhatAnOlderBrokerDoesNotSayIsAbsent) {
  const BrokerReading reading = Read(OldStatusReply());
  EXPECT_EQ(reading.uptime_s, std::nullopt);
  EXPECT_FALSE(reading.audit.has_value());
  EXPECT_FALSE(reading.resolver.has_value());
  EXPECT_EQ(reading.process.wakeups, std::nullopt);
  EXPECT_EQ(reading.roles.at("fetch").channels, 3U);
  EXPECT_EQ(reading.roles.at("fetch").connects.asked, std::nullopt);
  EXPECT_FALSE(reading.roles.at("fetch").connect_times.has_value());
}

TEST(StatusReader, EachFieldMayBeMissingOrOfAnotherKindOrUnknown) {
  const json full = FullStatusReply();
  const json flat = full.flatten();
  for (const auto& [path, value] : flat.items()) {
    for (const json& other : {json(), json(-1), json("\033"), json::array(), json(1e300)}) {
      json reply = full;
      reply[json::json_pointer(path)] = other;
      reply["new"] = {{"field", 1}};
      static_cast<void>(ReadStatus(reply));  // neither throws nor crashes
    }
  }
  for (const auto& [key, value] : full.items()) {
    json reply = full;
    reply.erase(key);
    EXPECT_EQ(ReadStatus(reply).ok(), key != "policy" && key != "roles") << key;
  }
  for (const auto& [key, value] : full["roles"][0].items()) {
    json reply = full;
    reply["roles"][0].erase(key);
    EXPECT_EQ(ReadStatus(reply).ok(), key != "name") << key;
  }
}

TEST(StatusReader, NumbersThatAreTooLargeAreTheLargest) {
  json reply = FullStatusReply();
  reply["roles"][0]["connects"]["asked"] = json::parse("99999999999999999999999");
  reply["roles"][0]["denials"] = json::parse(
      R"([{"reason": "x", "rule": 1, "line": 1, "count": 18446744073709551615},
          {"reason": "x", "rule": 1, "line": 1, "count": 1}])");
  const BrokerReading::Role role = Read(reply).roles.at("fetch");
  EXPECT_EQ(role.connects.asked, kMost);
  EXPECT_EQ(role.denials.at({"x", 1, 1}), kMost);
}

TEST(StatusReader, TimesThatMakeNoSenseAreNone) {
  for (const char* times :
       {R"({"count": 1, "sum": 1, "le": [[50, 2]]})", R"({"count": 1, "sum": 1, "le": [[50]]})",
        R"({"count": 1, "sum": 1, "le": [[-1, 0]]})", R"({"count": 1, "sum": 1})",
        R"({"sum": 1, "le": []})", "[]"}) {
    json reply = FullStatusReply();
    reply["roles"][0]["connect_us"] = json::parse(times);
    EXPECT_FALSE(Read(reply).roles.at("fetch").connect_times.has_value()) << times;
  }
}

TEST(StatusReader, ReadsWhyAReloadFailed) {
  json reply = FullStatusReply();
  reply["policy"]["last_error"] = json::parse(
      R"({"at": "2026-01-02T03:04:07Z", "findings": [{"severity": "error", "line": 9, "column": 1,
          "message": "unknown key 'alow'", "advice": "write 'allow'"}]})");
  const auto error = Read(reply).policy.last_error;
  ASSERT_TRUE(error.has_value());
  EXPECT_THAT(error->findings,
              ElementsAre("/etc/sockgate/policy.toml:9:1: error: unknown key 'alow' (write "
                          "'allow')"));
  reply["policy"]["last_error"]["findings"][0]["line"] = json::parse("1e300");
  EXPECT_TRUE(ReadStatus(reply).ok());
}

TEST(StatusReader, AReplyOfSomethingElseIsRefused) {
  for (const char* reply : {"{}", R"({"policy": 1, "roles": []})", R"({"roles": []})"}) {
    EXPECT_EQ(ReadStatus(json::parse(reply)).status().message(),
              "the broker's answer makes no sense: is it of another version?");
  }
}

}  // namespace
}  // namespace sockgate
