// `sockgate check-policy` and `sockgate explain` as their users meet them.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/tool/command.h"

namespace sockgate::testing {
namespace {

constexpr char kPolicy[] = R"(version = 1
[[listen]]
path = "/run/sockgate-test"
role = "crawler"
[roles.crawler]
allow = [
  { public = true, ports = [80, 443] },
  { host = "intern.example", ports = 443, private = true },
  { cidr = "10.1.0.0/16", ports = 5432 },
]
deny = [ { host = "*.bad.example" } ]
)";

std::string WritePolicy(const std::string& name, const std::string& text) {
  const std::string path = absl::StrCat(std::getenv("TEST_TMPDIR"), "/", name);
  std::ofstream(path) << text;
  return path;
}

class PolicyCommand : public ::testing::Test {
 protected:
  CommandResult Explain(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"explain", "--policy", policy_});
    return RunSockgate(arguments);
  }

  const std::string policy_ = WritePolicy("policy.toml", kPolicy);
};

TEST_F(PolicyCommand, CheckIsSilentAboutAGoodFileButForItsSize) {
  const CommandResult result = RunSockgate({"check-policy", policy_});
  EXPECT_EQ(result.status, 0) << result.out;
  EXPECT_EQ(result.out, absl::StrCat(policy_, ": 0 errors, 0 warnings; 1 role, 4 rules, 1 path\n"));
}

TEST_F(PolicyCommand, CheckPrintsEveryErrorWithItsPlaceAndWhatToWrite) {
  const std::string bad = WritePolicy("bad.toml", R"(version = 1
[roles.r]
alow = []
allow = [ { cidr = "10.0.0.1/8", ports = 0 } ]
)");
  const CommandResult result = RunSockgate({"check-policy", bad});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(absl::StrContains(result.out, absl::StrCat(bad, ":3:1: error: "))) << result.out;
  EXPECT_TRUE(absl::StrContains(result.out, "'allow'")) << result.out;
  EXPECT_TRUE(absl::StrContains(result.out, absl::StrCat(bad, ":4:"))) << result.out;
}

TEST_F(PolicyCommand, CheckSpeaksJson) {
  const CommandResult good = RunSockgate({"check-policy", "--json", policy_});
  const auto parsed = nlohmann::json::parse(good.out);
  EXPECT_EQ(parsed["ok"], true);
  EXPECT_TRUE(parsed["findings"].empty());
  const std::string broken = WritePolicy("broken.toml", "version = \n");
  const CommandResult bad = RunSockgate({"check-policy", "--json", broken});
  EXPECT_EQ(bad.status, 1);
  const auto findings = nlohmann::json::parse(bad.out)["findings"];
  ASSERT_FALSE(findings.empty());
  EXPECT_EQ(findings[0]["severity"], "error");
  EXPECT_EQ(findings[0]["line"], 1);
}

TEST_F(PolicyCommand, CheckOfAFileThatIsNotThereFails) {
  EXPECT_EQ(RunSockgate({"check-policy", "/does/not/exist"}).status, 1);
  EXPECT_EQ(RunSockgate({"check-policy"}).status, 2);
}

TEST_F(PolicyCommand, ExplainNamesTheRuleAndItsLine) {
  const CommandResult result = Explain({"10.1.2.3:5432"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(
      result.out,
      "may it connect to 10.1.2.3:5432?\n"
      "  10.1.2.3 is in 10.0.0.0/8 (private use, RFC 1918): only a rule within that range allows "
      "it, or a private name\n"
      "  allowed by rule 3 (line 9): allow 10.1.0.0/16 ports 5432 tcp\n"
      "  -> allow by rule 3 (line 9)\n"
      "10.1.2.3:5432 for role crawler: allow by rule 3 (line 9)\n");
}

TEST_F(PolicyCommand, ExplainTellsWhyNot) {
  CommandResult result = Explain({"http://169.254.169.254/latest/meta-data/"});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(absl::EndsWith(result.out, "deny: special-purpose-address\n")) << result.out;
  result = Explain({"https://www.bad.example/"});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(absl::EndsWith(result.out, "deny by rule 4 (line 11): deny-rule\n")) << result.out;
  result = Explain({"10.1.2.3:5433"});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(absl::StrContains(result.out, "not this port and transport: rule 3 (line 9)"))
      << result.out;
  EXPECT_EQ(Explain({"--udp", "10.1.2.3:5432"}).status, 1);
}

TEST_F(PolicyCommand, ExplainJudgesANameByTheAddressesThatItLeadsTo) {
  EXPECT_EQ(Explain({"https://www.example.org/"}).status, 0);
  EXPECT_EQ(Explain({"https://www.example.org/", "--resolved-to", "9.9.9.9"}).status, 0);
  EXPECT_EQ(Explain({"https://www.example.org/", "--resolved-to", "10.0.0.1"}).status, 1);
  EXPECT_EQ(
      Explain({"https://www.example.org/", "--resolved-to", "10.0.0.1", "--resolved-to", "9.9.9.9"})
          .status,
      0);
  EXPECT_EQ(Explain({"https://intern.example/", "--resolved-to", "10.0.0.1"}).status, 0);
  EXPECT_EQ(Explain({"http://2130706433:443/"}).status, 1);
}

// The resolver does not ask the DNS where that is.
TEST_F(PolicyCommand, ExplainKnowsWhereLocalhostIs) {
  const std::string open = WritePolicy(
      "open.toml", "version = 1\n[roles.r]\nallow = [ { public = true, ports = 80 } ]\n");
  const CommandResult result = RunSockgate({"explain", "--policy", open, "http://localhost/"});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(absl::StrContains(result.out, "127.0.0.1:80 as localhost?")) << result.out;
  EXPECT_TRUE(absl::EndsWith(result.out, "deny: special-purpose-address\n")) << result.out;
}

TEST_F(PolicyCommand, ExplainSpeaksJson) {
  const auto json = nlohmann::json::parse(Explain({"--json", "10.1.2.3:5432"}).out);
  EXPECT_EQ(json["verdict"], "allow");
  EXPECT_EQ(json["rule"], 3);
  EXPECT_EQ(json["line"], 9);
  EXPECT_EQ(json["role"], "crawler");
  ASSERT_EQ(json["questions"].size(), 1U);
  EXPECT_EQ(json["questions"][0]["steps"].size(), 2U);
}

TEST_F(PolicyCommand, WhatCannotBeExplainedIsAUsageError) {
  EXPECT_EQ(Explain({"no port"}).status, 2);
  EXPECT_EQ(Explain({"--role", "nobody", "10.1.2.3:1"}).status, 2);
  EXPECT_EQ(Explain({"10.1.2.3:1", "--resolved-to", "10.1.2.3"}).status, 2);
  EXPECT_EQ(Explain({"a.example:1", "--resolved-to", "b.example"}).status, 2);
  EXPECT_EQ(RunSockgate({"explain", "--policy", "/does/not/exist", "a.example:1"}).status, 2);
  EXPECT_EQ(RunSockgate({"explain", "a.example:1"}).status, 2);
}

TEST(PolicyExamples, AreExplained) {
  const struct {
    const char* example;
    std::vector<std::string> target;
    int status;
    const char* verdict;
  } kTable[] = {
      {"safe_fetcher",
       {"https://www.example.com/", "--resolved-to", "93.184.216.34"},
       0,
       "allow by"},
      {"safe_fetcher",
       {"https://www.example.com/", "--resolved-to", "10.0.0.1"},
       1,
       "special-purpose-address"},
      {"safe_fetcher", {"http://127.1/"}, 1, "own-address"},
      {"crawler", {"http://93.184.216.34/"}, 1, "deny-rule"},
      {"crawler", {"https://9.9.9.9/"}, 0, "allow by"},
      {"internal_service",
       {"https://billing.internal.example:8443/", "--resolved-to", "10.7.7.7"},
       0,
       "allow by"},
      {"internal_service", {"10.20.30.9:5432"}, 1, "deny-rule"},
      {"internal_service", {"unix:/run/metrics/socket"}, 0, "allow by"},
      {"internal_service", {"unix:/run/docker.sock"}, 1, "no-rule-matches"},
  };
  for (const auto& row : kTable) {
    std::vector<std::string> arguments = {
        "explain", "--policy", absl::StrCat("broker/policy/examples/", row.example, ".toml")};
    arguments.insert(arguments.end(), row.target.begin(), row.target.end());
    const CommandResult result = RunSockgate(arguments);
    EXPECT_EQ(result.status, row.status) << row.example << " " << row.target[0] << result.err;
    EXPECT_TRUE(absl::StrContains(result.out, row.verdict)) << result.out;
  }
}

}  // namespace
}  // namespace sockgate::testing
