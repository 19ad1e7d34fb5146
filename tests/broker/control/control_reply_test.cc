#include "broker/control/control_reply.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "broker/control/control_limits.h"
#include "broker/control/role_json.h"

namespace sockgate {
namespace {

using nlohmann::json;

const Finding kFinding = {Finding::Severity::kError, 3, 7, "unknown key 'alow'", "write 'allow'"};

TEST(ControlReplyTest, AReload) {
  EXPECT_EQ(ReloadReply("p.toml", {true, 2, {}}),
            R"({"loaded":true,"generation":2,"file":"p.toml","findings":[]})");
  EXPECT_EQ(ReloadReply("p.toml", {false, 1, {kFinding}}),
            R"({"loaded":false,"generation":1,"file":"p.toml","findings":[{"severity":"error",)"
            R"("line":3,"column":7,"message":"unknown key 'alow'","advice":"write 'allow'"}]})");
}

BrokerStatus::Role FetchRole() {
  BrokerStatus::Role role;
  role.mode = PolicyMode::kReport;
  role.rules = 12;
  role.workers = 3;
  role.channels = 5;
  role.pending = 2;
  role.unread = 1;
  return role;
}

TEST(ControlReplyTest, ARole) {
  BrokerStatus::Role role = FetchRole();
  RoleMetrics& metrics = role.metrics;
  metrics.connects.asked = 4;
  metrics.Judged({Decision::kAllow, 1, 3, Reason::kNone}, &metrics.connects);
  metrics.Judged({Decision::kWouldDeny, 0, 0, Reason::kNoRuleMatches}, &metrics.connects);
  metrics.Judged({Decision::kDeny, 2, 4, Reason::kDenyRule}, &metrics.connects);
  metrics.Ended({Outcome::kConnected}, &metrics.connects);
  metrics.Ended({Outcome::kFailed, Reason::kNone, 0, 111}, &metrics.connects);
  metrics.Ended({Outcome::kLimited, Reason::kPending, 0, 0, 100}, &metrics.connects);
  metrics.connect_times.Count(std::chrono::microseconds(50));
  metrics.connect_times.Count(std::chrono::microseconds(51));
  metrics.connect_times.Count(std::chrono::minutes(1));
  json reply = RoleJson("fetch", role);
  EXPECT_EQ(reply.at("connect_us").at("count"), 3);
  EXPECT_EQ(reply.at("connect_us").at("sum"), 60'000'101);
  EXPECT_EQ(reply.at("connect_us").at("le")[1], json::parse("[50,1]"));
  EXPECT_EQ(reply.at("connect_us").at("le")[2], json::parse("[100,2]"));
  EXPECT_EQ(reply.at("connect_us").at("le").back(), json::parse("[30000000,2]"));
  reply.erase("connect_us");
  EXPECT_EQ(
      reply,
      json::parse(
          R"({"name":"fetch","mode":"report","rules":12,"workers":3,"channels":5,)"
          R"("pending":2,"unread":1,"tracked":0,"connects":{"asked":4,"allowed":2,"denied":1,)"
          R"("would_deny":1,"limited":1,"bad_request":0,"connected":1,"failed":1},)"
          R"("lookups":{"asked":0,"allowed":0,"denied":0,"would_deny":0,"limited":0,)"
          R"("bad_request":0,"resolved":0,"failed":0},"limits":{"too-many-pending":1},)"
          R"("denials":[{"reason":"deny-rule","rule":2,"line":4,"count":1}],)"
          R"("violations":0,"bytes_sent":0,"bytes_received":0})"));
}

TEST(ControlReplyTest, OfManyDenialsTheMostFrequent) {
  BrokerStatus::Role role;
  for (uint32_t rule = 1; rule <= 100; ++rule) {
    role.metrics.denials[{rule, Reason::kDenyRule}] = {rule, rule};
  }
  const json denials = RoleJson("fetch", role).at("denials");
  ASSERT_EQ(denials.size(), kMostDenials);
  EXPECT_EQ(denials[0].at("count"), 100);
}

TEST(ControlReplyTest, AStatus) {
  BrokerStatus broker;
  broker.generation = 4;
  broker.roles["fetch"] = FetchRole();
  broker.roles["gone"].removed = true;
  broker.listen.push_back({"/run/a", "fetch"});
  broker.listen.push_back({"/run/b", "fetch", 1000, 100, 0660, 9});
  broker.cage = {confine::CageLevel::kFull, 65534, 65533, 0, true, true, 7, true};
  broker.started_at = Reloader::Time(std::chrono::seconds(999'999'999));
  broker.uptime = std::chrono::milliseconds(61'999);
  broker.threads = 2;
  broker.process = {40, 1024, 8192, std::chrono::microseconds(17)};
  broker.wakeups = 5;
  broker.audit = {10, 1, 4096, true};
  Reloader::State state;
  state.loaded_at = Reloader::Time(std::chrono::seconds(1'000'000'000));
  json reply = json::parse(StatusReply("p.toml", state, broker));
  EXPECT_EQ(reply.at("roles").size(), 2U);
  EXPECT_EQ(reply.at("roles")[1].at("removed"), true);
  reply.erase("roles");
  EXPECT_EQ(
      reply,
      json::parse(
          R"({"policy":{"file":"p.toml","generation":4,"loaded_at":"2001-09-09T01:46:40Z",)"
          R"("last_error":null},"started_at":"2001-09-09T01:46:39Z","uptime_s":61,"threads":2,)"
          R"("stopping":false,"process":{"descriptors":40,"descriptor_limit":1024,)"
          R"("memory_bytes":8192,"wakeups":5,"cpu_us":17},"audit":{"lines":10,"lost":1,)"
          R"("waiting_bytes":4096,"full":true},"cage":{"level":"full","in_force":"user 65534, capabilities: none, )"
          R"(no_new_privs, not dumpable, Landlock (ABI 7), seccomp","uid":65534,"gid":65533,)"
          R"("capabilities":"none","no_new_privs":true,"not_dumpable":true,"landlock_abi":7,)"
          R"("seccomp":true},"listen":[{"path":"/run/a","role":"fetch","mode":"0600"},)"
          R"({"path":"/run/b","role":"fetch","mode":"0660","uid":1000,"gid":100}]})"));
  broker.resolver = {ResolverState::kReady, 7, {3, 10, 4}};
  EXPECT_EQ(json::parse(StatusReply("p.toml", state, broker)).at("resolver"),
            json::parse(R"({"state":"ready","questions":7,)"
                        R"("cache":{"entries":3,"hits":10,"misses":4}})"));
  state.last_error = Reloader::Failure{state.loaded_at, {kFinding}};
  reply = json::parse(StatusReply("p.toml", state, broker));
  EXPECT_EQ(reply["policy"]["last_error"]["at"], "2001-09-09T01:46:40Z");
  EXPECT_EQ(reply["policy"]["last_error"]["findings"][0]["line"], 3);
}

TEST(ControlReplyTest, WhateverTheTextItIsJson) {
  Finding finding = kFinding;
  finding.message = std::string("\"\\\n\x1b\x00\xff\xc3", 7) + "\xc3\xa9";
  const json reply = json::parse(ReloadReply("\xff\"", {false, 1, {finding}}));
  EXPECT_EQ(reply["findings"][0]["message"],
            std::string("\"\\\n\x1b\x00\xef\xbf\xbd\xef\xbf\xbd", 11) + "\xc3\xa9");
  EXPECT_EQ(json::parse(ErrorReply("\"")).at("error"), "\"");
}

TEST(ControlReplyTest, ListsAreCutToFit) {
  const std::vector<Finding> many(10'000, kFinding);
  const std::string cut = ReloadReply("p.toml", {false, 1, many});
  EXPECT_LE(cut.size(), kMaxControlReplyBytes);
  const json reply = json::parse(cut);
  EXPECT_EQ(reply.at("cut"), true);
  EXPECT_GT(reply.at("findings").size(), 300U);

  BrokerStatus broker;
  for (int i = 0; i < 5000; ++i) broker.roles[absl::StrCat(std::string(200, '\x01'), i)];
  broker.listen.assign(5000, {std::string(107, '\xff'), "fetch"});
  Reloader::State state;
  state.last_error = Reloader::Failure{{}, many};
  const std::string status = StatusReply(std::string(4096, '"'), state, broker);
  EXPECT_LE(status.size(), kMaxControlReplyBytes);
  const json all = json::parse(status);
  EXPECT_EQ(all.at("cut"), true);
  EXPECT_FALSE(all.at("listen").empty());
}

TEST(ControlReplyDeathTest, WhatCannotBeCutFits) {
  EXPECT_EQ(json::parse(ReloadReply(std::string(4096, '\x01'), {})).at("file").size(), 1U);
  EXPECT_DEATH(ReloadReply(std::string(100'000, 'x'), {}), "check failed");
}

TEST(ControlReplyTest, ALongMessageIsCut) {
  Finding finding = kFinding;
  finding.message.assign(1'000'000, 'x');
  const std::string reply = ReloadReply("p.toml", {false, 1, {finding}});
  EXPECT_LE(reply.size(), kMaxControlReplyBytes);
  EXPECT_EQ(json::parse(reply).at("findings").size(), 1U);
}

}  // namespace
}  // namespace sockgate
