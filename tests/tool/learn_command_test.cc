// `sockgate learn` as its users meet it: from a log to a policy that loads and decides.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "broker/policy/policy_file.h"
#include "tests/tool/command.h"
#include "tool/seen_decision.h"

namespace sockgate::testing {
namespace {

// A line as the broker writes it; `target` as it stands in JSON.
std::string Line(absl::string_view role, absl::string_view target,
                 absl::string_view verdict = "would-deny",
                 absl::string_view reason = "no-rule-matches") {
  return absl::StrCat(
      R"({"time":"2026-01-02T03:04:05.000006Z","event":"decision","worker":1,"channel":2,"role":")",
      role, R"(","request":3,"target":")", target,
      R"(","transport":"stream","mode":"connected","purpose":"transfer","verdict":")", verdict,
      R"(","rule":7,"line":31,"reason":")", reason, R"(","policy":2})", "\n");
}

std::string WriteLog(const std::string& text) {
  std::string path = absl::StrCat(std::getenv("TEST_TMPDIR"), "/audit.jsonl");
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

CommandResult Learn(const std::string& log, std::vector<std::string> options = {}) {
  std::vector<std::string> arguments = {"learn", WriteLog(log)};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return RunSockgate(arguments);
}

// Whether the learned policy lets the only role go there; nothing when it makes no policy.
std::optional<bool> Allows(const CommandResult& result, absl::string_view target) {
  const LoadedPolicy loaded = ParsePolicy(result.out);
  if (!loaded.policy.has_value() || loaded.policy->roles.size() != 1) return std::nullopt;
  const Endpoint endpoint = ParseAuditTarget(target).value();
  return loaded.policy->roles[0].policy.Decide(endpoint, Transport::kStream).lets_through();
}

TEST(LearnCommand, PrintsAPolicyThatAllowsWhatWasLetThroughAndNoMore) {
  const std::vector<std::string> seen = {"192.0.2.0:443",         "192.0.2.1:443",
                                         "10.0.0.1:8080",         "[2001:db8::1]:80",
                                         "[64:ff9b::808:808]:80", "unix:/run/app/socket"};
  std::string log;
  for (const std::string& target : seen) log += Line("crawler", target);
  log += Line("crawler", "8.8.4.4:53", "allow", "none");
  log += Line("crawler", "9.9.9.9:53", "deny");
  const CommandResult result = Learn(log);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.err,
            "sockgate learn: 1 decisions to deny are left out; --denied learns from them too\n");
  for (const std::string& target : seen) EXPECT_EQ(Allows(result, target), true) << target;
  EXPECT_EQ(Allows(result, "8.8.4.4:53"), true);
  for (const char* target : {"192.0.2.2:443", "192.0.1.255:443", "192.0.2.1:444", "192.0.2.1:442",
                             "10.0.0.1:80", "10.0.0.2:8080", "[2001:db8::2]:80", "8.8.4.4:54",
                             "[64:ff9b::808:809]:80", "unix:/run/app/socket2", "9.9.9.9:53"}) {
    EXPECT_EQ(Allows(result, target), false) << target;
  }
}

TEST(LearnCommand, LearnsFromWhatWasDeniedWhenToldTo) {
  const std::string log = Line("crawler", "9.9.9.9:53", "deny", "deny-rule");
  CommandResult result = Learn(log);
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err,
            "sockgate learn: nothing was let through; --denied learns from what was denied\n");
  result = Learn(log, {"--denied"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(Allows(result, "9.9.9.9:53"), true);
  EXPECT_TRUE(absl::StrContains(
      result.out, "Rule 7 at line 31 of the policy then in force (number 2) denied 9.9.9.9:53."))
      << result.out;
}

TEST(LearnCommand, LearnsAboutOneRoleWhenToldTo) {
  const std::string log = Line("one", "1.1.1.1:80") + Line("two", "8.8.8.8:80");
  const CommandResult result = Learn(log, {"--role", "two"});
  EXPECT_EQ(Allows(result, "8.8.8.8:80"), true);
  EXPECT_EQ(Allows(result, "1.1.1.1:80"), false);
  EXPECT_EQ(Learn(log, {"--role", "three"}).status, 1);
  EXPECT_EQ(ParsePolicy(Learn(log).out).policy.value().roles.size(), 2U);
}

TEST(LearnCommand, GoesOnAfterALineThatIsNone) {
  const std::string log =
      absl::StrCat("started\n", Line("r", "8.8.8.8:80"), std::string(70'000, 'x'), "\n",
                   R"({"time":"2026-01-02T03:04:05.000006Z","event":"lost","lines":3})", "\n",
                   Line("r", "example:80"), Line("r", "1.1.1.1:80"), R"({"time":"2026-)");
  const CommandResult result = Learn(log);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(Allows(result, "8.8.8.8:80"), true);
  EXPECT_EQ(Allows(result, "1.1.1.1:80"), true);
  for (const char* told : {":1: skipped: the line is no JSON object\n",
                           ":3: skipped: the line is longer than 64 KiB\n",
                           ":5: skipped: the line has no 'target' as the broker writes it\n",
                           ":7: skipped: the line is no JSON object\n"}) {
    EXPECT_TRUE(absl::StrContains(result.err, told)) << told << result.err;
  }
}

TEST(LearnCommand, ALogOfSomethingElseDoesNotFillTheTerminal) {
  std::string log;
  for (int i = 0; i < 1000; ++i) log += "nonsense\n";
  const CommandResult result = Learn(log);
  EXPECT_EQ(result.status, 1);
  EXPECT_LT(result.err.size(), 3000U);
  EXPECT_TRUE(absl::StrContains(result.err, "1000 lines are skipped in all\n")) << result.err;
  EXPECT_TRUE(absl::StrContains(result.err, "there is no decision to learn from\n"));
}

// What a worker may put into the log: the broker escapes it once for the target and once for JSON.
TEST(LearnCommand, NoTargetInjectsARule) {
  const std::string hostile = R"(unix:/run/\\\"] },\\n{ public = true, ports = 80 },\\n#)";
  const CommandResult result = Learn(Line("r", hostile));
  EXPECT_EQ(Allows(result, R"(unix:/run/\"] },\n{ public = true, ports = 80 },\n#)"), true)
      << result.out;
  EXPECT_EQ(Allows(result, "8.8.8.8:80"), false);
}

TEST(LearnCommand, ALogThatOnlyHasRolesOfNoPolicyIsAnError) {
  const CommandResult result = Learn(Line("a\\nb", "8.8.8.8:80"));
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "");
}

TEST(LearnCommand, AFileThatCannotBeReadIsAnError) {
  EXPECT_EQ(RunSockgate({"learn", "/nonexistent"}).status, 1);
  EXPECT_EQ(RunSockgate({"learn", "/"}).status, 1);
  EXPECT_EQ(RunSockgate({"learn", "/dev/null"}).status, 1);
  EXPECT_EQ(RunSockgate({"learn"}).status, 2);
  EXPECT_EQ(RunSockgate({"learn", "/dev/null", "--rule", "x"}).status, 2);
}

}  // namespace
}  // namespace sockgate::testing
