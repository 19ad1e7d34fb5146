#include "tool/prometheus_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "tests/tool/exposition.h"
#include "tests/tool/status_reply.h"
#include "tool/status_reader.h"

namespace sockgate {
namespace {

using nlohmann::json;
using testing::Exposition;
using testing::FullStatusReply;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string Text(const json& reply) { return PrometheusText(*ReadStatus(reply)); }

TEST(PrometheusText, HasEachNumber) {
  const Exposition text(Text(FullStatusReply()));
  EXPECT_THAT(text.faults(), IsEmpty());
  const std::map<std::string, double> samples = {
      {"sockgate_start_time_seconds", 1767323045},
      {"sockgate_uptime_seconds", 12},
      {"sockgate_threads", 2},
      {"sockgate_stopping", 0},
      {"sockgate_status_cut", 0},
      {"sockgate_policy_generation", 3},
      {"sockgate_policy_loaded_time_seconds", 1767323046},
      {"sockgate_policy_last_reload_successful", 1},
      {"sockgate_process_descriptors", 40},
      {"sockgate_process_descriptor_limit", 524288},
      {"sockgate_process_memory_bytes", 5242880},
      {"sockgate_process_wakeups_total", 1234},
      {"sockgate_process_cpu_seconds_total", 0.123456},
      {"sockgate_audit_lines_total", 10},
      {"sockgate_audit_lost_lines_total", 1},
      {"sockgate_audit_waiting_bytes", 2048},
      {"sockgate_audit_full", 0},
      {"sockgate_resolver_ready", 1},
      {"sockgate_resolver_questions", 5},
      {"sockgate_resolver_cache_entries", 3},
      {"sockgate_resolver_cache_hits_total", 12},
      {"sockgate_resolver_cache_misses_total", 4},
      {R"(sockgate_role_info{role="fetch",mode="enforce"})", 1},
      {R"(sockgate_role_rules{role="fetch"})", 7},
      {R"(sockgate_role_workers{role="fetch"})", 12},
      {R"(sockgate_role_channels{role="fetch"})", 24},
      {R"(sockgate_role_pending_connects{role="fetch"})", 1},
      {R"(sockgate_role_unread_replies{role="fetch"})", 2},
      {R"(sockgate_role_tracked_connections{role="fetch"})", 3},
      {R"(sockgate_connect_requests_total{role="fetch"})", 12345},
      {R"(sockgate_connect_verdicts_total{role="fetch",verdict="allow"})", 12340},
      {R"(sockgate_connect_verdicts_total{role="fetch",verdict="deny"})", 5},
      {R"(sockgate_connect_would_deny_total{role="fetch"})", 0},
      {R"(sockgate_connect_outcomes_total{role="fetch",outcome="connected"})", 100},
      {R"(sockgate_connect_outcomes_total{role="fetch",outcome="failed"})", 2},
      {R"(sockgate_connect_outcomes_total{role="fetch",outcome="limited"})", 3},
      {R"(sockgate_connect_outcomes_total{role="fetch",outcome="bad-request"})", 1},
      {R"(sockgate_connect_duration_seconds_bucket{role="fetch",le="0.0001"})", 50},
      {R"(sockgate_connect_duration_seconds_bucket{role="fetch",le="+Inf"})", 100},
      {R"(sockgate_connect_duration_seconds_sum{role="fetch"})", 0.123456},
      {R"(sockgate_connect_duration_seconds_count{role="fetch"})", 100},
      {R"(sockgate_lookup_requests_total{role="fetch"})", 50},
      {R"(sockgate_lookup_verdicts_total{role="fetch",verdict="allow"})", 49},
      {R"(sockgate_lookup_verdicts_total{role="fetch",verdict="deny"})", 1},
      {R"(sockgate_lookup_would_deny_total{role="fetch"})", 0},
      {R"(sockgate_lookup_outcomes_total{role="fetch",outcome="resolved"})", 45},
      {R"(sockgate_lookup_outcomes_total{role="fetch",outcome="failed"})", 4},
      {R"(sockgate_lookup_outcomes_total{role="fetch",outcome="limited"})", 6},
      {R"(sockgate_lookup_outcomes_total{role="fetch",outcome="bad-request"})", 7},
      {R"(sockgate_limited_total{role="fetch",reason="too-many-pending"})", 3},
      {R"(sockgate_denials_total{role="fetch",reason="deny-rule",rule="3",line="12"})", 4},
      {R"(sockgate_denials_total{role="fetch",reason="no-rule-matches",rule="0",line="0"})", 2},
      {R"(sockgate_violations_total{role="fetch"})", 8},
      {R"(sockgate_tracked_sent_bytes_total{role="fetch"})", 1536},
      {R"(sockgate_tracked_received_bytes_total{role="fetch"})", 3145728},
  };
  for (const auto& [sample, value] : samples) EXPECT_EQ(text.At(sample), value) << sample;
}

TEST(PrometheusText, EachMetricIsInItsManualAndTheOtherWayRound) {
  std::map<std::string, std::string> manual;
  std::ifstream file("broker/control/METRICS.md");
  for (std::string line; std::getline(file, line);) {
    if (!absl::StartsWith(line, "| `sockgate_")) continue;
    const std::vector<std::string> cells = absl::StrSplit(line, " | ");
    manual[cells.at(0).substr(3, cells.at(0).size() - 4)] = cells.at(1);
  }
  EXPECT_EQ(Exposition(Text(FullStatusReply())).types(), manual);
}

TEST(PrometheusText, SamplesOfOneMetricAreTogetherHoweverManyRoles) {
  json reply = FullStatusReply();
  for (const char* name : {"a", "b"}) {
    reply["roles"].push_back(reply["roles"][0]);
    reply["roles"].back()["name"] = name;
  }
  EXPECT_THAT(Exposition(Text(reply)).faults(), IsEmpty());
}

TEST(PrometheusText, OfAnOlderBrokerThereIsWhatItSays) {
  const std::string text = Text(testing::OldStatusReply());
  EXPECT_THAT(Exposition(text).faults(), IsEmpty());
  EXPECT_THAT(text, HasSubstr("sockgate_role_workers{role=\"fetch\"} 2\n"));
  EXPECT_THAT(text, Not(HasSubstr("sockgate_connect")));
  EXPECT_THAT(text, Not(HasSubstr("sockgate_start_time")));
}

TEST(PrometheusText, WhateverTheBrokerSaysTheTextIsAnExposition) {
  json reply = FullStatusReply();
  const std::string evil = "\033\"} 1\n# TYPE\\";
  json& role = reply["roles"][0];
  role["name"] = evil;
  role["mode"] = evil;
  role["limits"] = {{evil, 1}};
  role["denials"][0]["reason"] = evil;
  role["connects"]["asked"] = json::parse("99999999999999999999999");
  reply["started_at"] = "2026-01-02T03:04:05Zx";
  reply["policy"]["loaded_at"] = evil;
  const std::string text = Text(reply);
  EXPECT_THAT(Exposition(text).faults(), IsEmpty());
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  EXPECT_THAT(text, Not(HasSubstr("_time_seconds")));
}

TEST(PrometheusText, TellsWhatAnAlarmIsFor) {
  json reply = FullStatusReply();
  reply["stopping"] = true;
  reply["audit"]["full"] = true;
  reply["resolver"]["state"] = "gone";
  reply["cut"] = true;
  reply["policy"]["last_error"] = {{"at", "noon"}, {"findings", json::array()}};
  reply["roles"][0]["removed"] = true;
  const Exposition text(Text(reply));
  EXPECT_EQ(text.At("sockgate_stopping"), 1);
  EXPECT_EQ(text.At("sockgate_audit_full"), 1);
  EXPECT_EQ(text.At("sockgate_resolver_ready"), 0);
  EXPECT_EQ(text.At("sockgate_status_cut"), 1);
  EXPECT_EQ(text.At("sockgate_policy_last_reload_successful"), 0);
  EXPECT_EQ(text.At(R"(sockgate_role_info{role="fetch",mode="removed"})"), 1);
}

}  // namespace
}  // namespace sockgate
