#include "broker/control/control_reply.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "broker/control/control_limits.h"

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

TEST(ControlReplyTest, AStatus) {
  BrokerStatus broker;
  broker.generation = 4;
  broker.roles.push_back({"fetch", PolicyMode::kReport, false, 12, 3, 5});
  broker.roles.push_back({"gone", PolicyMode::kEnforce, true, 0, 1, 1});
  broker.listen.push_back({"/run/a", "fetch"});
  broker.listen.push_back({"/run/b", "fetch", 1000, 100, 0660, 9});
  broker.cage = {confine::CageLevel::kFull, 65534, 65533, 0, true, true, 7, true};
  Reloader::State state;
  state.loaded_at = Reloader::Time(std::chrono::seconds(1'000'000'000));
  EXPECT_EQ(
      StatusReply("p.toml", state, broker),
      R"({"policy":{"file":"p.toml","generation":4,"loaded_at":"2001-09-09T01:46:40Z",)"
      R"("last_error":null},"cage":{"level":"full","in_force":"user 65534, capabilities: none, )"
      R"(no_new_privs, not dumpable, Landlock (ABI 7), seccomp","uid":65534,"gid":65533,)"
      R"("capabilities":"none","no_new_privs":true,"not_dumpable":true,"landlock_abi":7,)"
      R"("seccomp":true},"roles":[{"name":"fetch","mode":"report","rules":12,"workers":3,)"
      R"("channels":5},{"name":"gone","mode":"enforce","rules":0,"workers":1,"channels":1,)"
      R"("removed":true}],"listen":[{"path":"/run/a","role":"fetch","mode":"0600"},)"
      R"({"path":"/run/b","role":"fetch","mode":"0660","uid":1000,"gid":100}]})");
  broker.resolver = {ResolverState::kReady, 7};
  EXPECT_EQ(json::parse(StatusReply("p.toml", state, broker)).at("resolver"),
            json({{"state", "ready"}, {"questions", 7}}));
  state.last_error = Reloader::Failure{state.loaded_at, {kFinding}};
  const json reply = json::parse(StatusReply("p.toml", state, broker));
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
  broker.roles.assign(5000, {std::string(200, '\x01'), PolicyMode::kEnforce, false, 1, 1, 1});
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
