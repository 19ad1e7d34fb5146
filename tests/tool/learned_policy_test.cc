#include "tool/learned_policy.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "broker/policy/policy_file.h"

namespace sockgate {
namespace {

constexpr Date kDay = 20260102;

SeenDecision Seen(absl::string_view target, Transport transport = Transport::kStream) {
  SeenDecision seen;
  seen.role = "r";
  seen.target = *ParseAuditTarget(target);
  seen.transport = transport;
  seen.decision = Decision::kWouldDeny;
  seen.date = kDay;
  return seen;
}

LearnedPolicy Learned(const std::vector<std::string>& targets) {
  LearnedPolicy learned;
  for (const std::string& target : targets) learned.Add(Seen(target));
  return learned;
}

// What stands in the table of the only role, without the comments on whole lines.
std::string Rules(const LearnedPolicy& learned) {
  const std::string text = learned.ToString();
  EXPECT_TRUE(ParsePolicy(text).policy.has_value()) << text;
  std::string rules;
  bool inside = false;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const bool comment = absl::StartsWith(absl::StripLeadingAsciiWhitespace(line), "#");
    if (inside && !comment) absl::StrAppend(&rules, line, "\n");
    inside = inside || line == "allow = [";
  }
  return rules;
}

std::string Rules(const std::vector<std::string>& targets) { return Rules(Learned(targets)); }

bool Says(const LearnedPolicy& learned, absl::string_view line) {
  return absl::StrContains(learned.ToString(), absl::StrCat(line, "\n"));
}

// Whether the only role may go there.
bool Allows(const LearnedPolicy& learned, absl::string_view target,
            Transport transport = Transport::kStream) {
  const LoadedPolicy loaded = ParsePolicy(learned.ToString());
  const Policy& policy = loaded.policy.value().roles.at(0).policy;
  return policy.Decide(*ParseAuditTarget(target), transport).lets_through();
}

TEST(LearnedPolicy, IsAWholeFile) {
  EXPECT_EQ(Learned({"8.8.8.8:443"}).ToString(),
            "# Allows what an audit log tells of: names wherever they lead in public, other "
            "addresses one by\n"
            "# one. Seen once, on 2026-01-02.\n"
            "# Read it before it is put in force: what was seen need not be what was meant.\n"
            "# No path gives the roles yet; add a [[listen]] for each.\n"
            "version = 1\n"
            "\n"
            "[roles.r]\n"
            "mode = \"enforce\"\n"
            "allow = [\n"
            "  # Seen once, on 2026-01-02.\n"
            "  { cidr = \"8.8.8.8\", ports = 443 },\n"
            "]\n");
}

TEST(LearnedPolicy, PlacesWithTheSamePortsAreOneRule) {
  EXPECT_EQ(Rules({"8.8.8.9:443", "8.8.8.8:443", "8.8.8.11:443", "[2606:2800::1]:443"}),
            "  { cidr = [\"8.8.8.8/31\", \"8.8.8.11\", \"2606:2800::1\"], ports = 443 },\n]\n");
  EXPECT_EQ(Rules({"8.8.8.9:443", "8.8.8.8:443", "8.8.8.8:80"}),
            "  { cidr = \"8.8.8.8\", ports = [80, 443] },\n"
            "  { cidr = \"8.8.8.9\", ports = 443 },\n]\n");
}

TEST(LearnedPolicy, PortsInARowAreARange) {
  EXPECT_EQ(Rules({"8.8.8.8:80", "8.8.8.8:8002", "8.8.8.8:8001", "8.8.8.8:8000"}),
            "  { cidr = \"8.8.8.8\", ports = [80, \"8000-8002\"] },\n]\n");
}

TEST(LearnedPolicy, EveryPortIsAStar) {
  std::vector<std::string> targets;
  for (int port = 1; port <= 65535; ++port) targets.push_back(absl::StrCat("8.8.8.8:", port));
  EXPECT_EQ(Rules(targets), "  { cidr = \"8.8.8.8\", ports = \"*\" },\n]\n");
  targets.pop_back();
  EXPECT_EQ(Rules(targets), "  { cidr = \"8.8.8.8\", ports = \"1-65534\" },\n]\n");
}

TEST(LearnedPolicy, TransportsAreToldApart) {
  LearnedPolicy learned = Learned({"9.9.9.9:53", "1.1.1.1:53"});
  learned.Add(Seen("9.9.9.9:53", Transport::kDatagram));
  learned.Add(Seen("8.8.8.8:53", Transport::kDatagram));
  EXPECT_EQ(Rules(learned),
            "  { cidr = \"1.1.1.1\", ports = 53 },\n"
            "  { cidr = \"9.9.9.9\", ports = 53, transport = \"any\" },\n"
            "  { cidr = \"8.8.8.8\", ports = 53, transport = \"udp\" },\n]\n");
  EXPECT_FALSE(Allows(learned, "1.1.1.1:53", Transport::kDatagram));
  EXPECT_FALSE(Allows(learned, "8.8.8.8:53"));
}

TEST(LearnedPolicy, SpecialRangesAreNamedAndNeverMergedAcross) {
  EXPECT_EQ(Rules({"10.0.0.1:80"}), "  { cidr = \"10.0.0.1\", ports = 80 },  # private use\n]\n");
  const std::vector<std::string> targets = {"192.0.0.8:80", "192.0.0.9:80", "192.0.0.10:80",
                                            "192.0.0.11:80"};
  const LearnedPolicy learned = Learned(targets);
  EXPECT_EQ(Rules(learned),
            "  { cidr = [\n"
            "    \"192.0.0.8\",  # IPv4 dummy address\n"
            "    \"192.0.0.9\",  # PCP anycast\n"
            "    \"192.0.0.10\",  # TURN anycast\n"
            "    \"192.0.0.11\",  # IETF protocol assignments\n"
            "  ], ports = 80 },\n]\n");
  for (const std::string& target : targets) EXPECT_TRUE(Allows(learned, target)) << target;
}

TEST(LearnedPolicy, LongListsAreBroken) {
  std::vector<std::string> many_ports;
  std::vector<std::string> many_addresses;
  for (int i = 1; i < 5'000; i += 2) many_ports.push_back(absl::StrCat("10.0.0.1:", i));
  for (int i = 1; i < 500; i += 2) {
    many_addresses.push_back(absl::StrCat("8.8.", i / 256, ".", i % 256, ":1"));
  }
  for (const auto& targets : {many_ports, many_addresses}) {
    for (const absl::string_view line : absl::StrSplit(Rules(targets), '\n')) {
      EXPECT_LE(line.size(), 100U);
    }
    EXPECT_TRUE(Allows(Learned(targets), targets.back()));
  }
}

TEST(LearnedPolicy, AnEmbeddedAddressIsAllowedToo) {
  const LearnedPolicy learned = Learned({"[64:ff9b::a00:9]:443", "10.0.0.8:443"});
  EXPECT_EQ(Rules(learned),
            "  { cidr = [\n"
            "    \"10.0.0.8\",  # private use\n"
            "    \"64:ff9b::a00:9\",  # NAT64\n"
            "  ], ports = 443 },\n"
            "  { cidr = \"10.0.0.9\", ports = 443 },  # private use\n]\n");
  EXPECT_TRUE(Says(learned,
                   "  # Not seen, but inside IPv6 addresses that were, and judged too: "
                   "64:ff9b::a00:9."));
  EXPECT_TRUE(Allows(learned, "[64:ff9b::a00:9]:443"));
  EXPECT_FALSE(Allows(learned, "[64:ff9b::a00:8]:443"));
  EXPECT_FALSE(Allows(learned, "10.0.0.9:80"));
}

TEST(LearnedPolicy, AnEmbeddedAddressThatWasSeenIsNotAddedAgain) {
  EXPECT_EQ(Rules({"[64:ff9b::808:808]:443", "8.8.8.8:443"}),
            "  { cidr = [\n"
            "    \"8.8.8.8\",\n"
            "    \"64:ff9b::808:808\",  # NAT64\n"
            "  ], ports = 443 },\n]\n");
}

SeenDecision SeenAs(absl::string_view target, const std::vector<std::string>& names) {
  SeenDecision seen = Seen(target);
  seen.names = names;
  return seen;
}

TEST(LearnedPolicy, WhatANameLedToIsAllowedByTheName) {
  LearnedPolicy learned;
  for (const char* address : {"8.8.8.8", "8.8.4.4", "[2606:2800::1]"}) {
    learned.Add(SeenAs(absl::StrCat(address, ":443"), {"a.example", "b.example"}));
  }
  learned.Add(SeenAs("8.8.8.8:80", {"c.example"}));
  learned.Add(SeenAs("10.0.0.1:443", {"db.internal"}));
  learned.Add(SeenAs("[64:ff9b::a00:1]:443", {"far.internal"}));
  learned.Add(Seen("9.9.9.9:443"));
  EXPECT_EQ(Rules(learned),
            "  { host = \"c.example\", ports = 80 },\n"
            "  { host = [\"a.example\", \"b.example\", \"db.internal\", \"far.internal\"], "
            "ports = 443 },\n"
            "  { cidr = [\n"
            "    \"9.9.9.9\",\n"
            "    \"10.0.0.1\",  # private use\n"
            "    \"64:ff9b::a00:1\",  # NAT64\n"
            "  ], ports = 443 },\n]\n");
  EXPECT_FALSE(Allows(learned, "8.8.8.8:443")) << "without the name";
  const LoadedPolicy loaded = ParsePolicy(learned.ToString());
  const Policy& policy = loaded.policy.value().roles.at(0).policy;
  for (const auto& [name, target] :
       std::vector<std::pair<std::string, std::string>>{{"a.example", "8.8.8.8:443"},
                                                        {"c.example", "8.8.8.8:80"},
                                                        {"db.internal", "10.0.0.1:443"},
                                                        {"far.internal", "[64:ff9b::a00:1]:443"}}) {
    const HostName host = HostName::Parse(name).value();
    const HostName* const names[] = {&host};
    EXPECT_TRUE(policy.DecideName(host).lets_through()) << name;
    EXPECT_TRUE(policy.Decide(*ParseAuditTarget(target), Transport::kStream, names).lets_through())
        << name;
  }
  const HostName rebound = HostName::Parse("db.internal").value();
  const HostName* const names[] = {&rebound};
  EXPECT_FALSE(
      policy.Decide(*ParseAuditTarget("10.0.0.2:443"), Transport::kStream, names).lets_through());
}

TEST(LearnedPolicy, ANameThatLedWhereNoRuleCanLeadIsNoHelp) {
  LearnedPolicy learned;
  learned.Add(SeenAs("0.0.0.0:80", {"a.example"}));
  EXPECT_EQ(Rules(learned), "");
  EXPECT_TRUE(Says(learned, "#   0.0.0.0:80 (once) means loopback to the kernel"));
}

TEST(LearnedPolicy, UnixSocketsAreOneRule) {
  const LearnedPolicy learned = Learned({"unix:/run/y", "unix:/run/x", "unix:/run/x"});
  EXPECT_EQ(Rules(learned), "  { unix = [\"/run/x\", \"/run/y\"] },\n]\n");
  EXPECT_TRUE(Says(learned, "  # Seen 3 times, on 2026-01-02."));
}

TEST(LearnedPolicy, WhatNoRuleCanAllowIsSaid) {
  LearnedPolicy learned = Learned({"0.0.0.0:80", "[::]:80", "8.8.8.8:0", "[2002::1]:443",
                                   "unix:@abs", "unix:run/x", "unix:/run/../x", "unix:/run/\\xff"});
  learned.Add(Seen("unix:/run/log", Transport::kDatagram));
  EXPECT_EQ(Rules(learned), "");
  for (const char* line : {
           "#   0.0.0.0:80 (once) means loopback to the kernel",
           "#   [::]:80 (once) means loopback to the kernel",
           "#   8.8.8.8:0 (once) has no port",
           "#   [2002::1]:443 (once) stands for 0.0.0.0",
           "#   unix:@abs (once) is an abstract UNIX socket",
           "#   unix:run/x (once) is no absolute path",
           "#   unix:/run/../x (once) is not spelled out: no '.' and no '..'",
           "#   unix:/run/\\xff (once) is not UTF-8, as a policy is",
           "#   unix:/run/log (once) is a UNIX socket of datagrams",
       }) {
    EXPECT_TRUE(Says(learned, line)) << line;
  }
}

TEST(LearnedPolicy, SaysWhichRuleDenied) {
  LearnedPolicy learned;
  SeenDecision seen = Seen("8.8.8.8:80");
  seen.deny_rule = true;
  seen.rule = 4;
  seen.line = 12;
  seen.policy = 2;
  learned.Add(seen);
  seen.target = *ParseAuditTarget("8.8.4.4:80");
  learned.Add(seen);
  EXPECT_TRUE(Says(learned,
                   "  # Rule 4 at line 12 of the policy then in force (number 2) denied "
                   "8.8.4.4:80, 8.8.8.8:80."))
      << learned.ToString();
  EXPECT_TRUE(Allows(learned, "8.8.8.8:80"));
}

TEST(LearnedPolicy, WhereTheBrokerIsIsSaid) {
  LearnedPolicy learned;
  for (const char* target : {"8.8.8.8:80", "unix:/run/broker"}) {
    SeenDecision seen = Seen(target);
    seen.own = true;
    learned.Add(seen);
  }
  EXPECT_TRUE(
      Says(learned, "  # 'deny_own_addresses' of the policy then in force denied 8.8.8.8:80."));
  EXPECT_TRUE(Says(learned, "#   unix:/run/broker (once) is where the broker listens"));
}

TEST(LearnedPolicy, SaysWhenItWasSeen) {
  LearnedPolicy learned;
  SeenDecision seen = Seen("8.8.8.8:80");
  for (const Date date : {20260105U, 0U, 20251231U}) {
    seen.date = date;
    learned.Add(seen);
  }
  EXPECT_TRUE(Says(learned, "  # Seen 3 times, 2025-12-31 to 2026-01-05."));
}

TEST(LearnedPolicy, NeitherOrderNorRepetitionMatters) {
  const std::vector<std::string> targets = {"8.8.8.8:80", "unix:/x", "[::1]:2", "8.8.8.9:80"};
  const std::vector<std::string> reversed(targets.rbegin(), targets.rend());
  EXPECT_EQ(Learned(targets).ToString(), Learned(reversed).ToString());
  std::vector<std::string> twice = targets;
  twice.insert(twice.end(), targets.begin(), targets.end());
  EXPECT_EQ(Rules(twice), Rules(targets));
}

// A path is the worker's choice: whatever is in it stays in its string.
TEST(LearnedPolicy, NoPathEndsItsString) {
  for (const std::string& path : std::vector<std::string>{
           "/run/\"] }, { public = true, ports = \"*\" }, #", "/run/\\", "/run/\n]\n[roles.x]\n",
           "/run/\r", "/run/it's", "/run/#", "/run/\\u0022", "/\u202e", "/\U0001F600", "/\x7f",
           std::string("/") + std::string(106, '\x01')}) {
    LearnedPolicy learned;
    SeenDecision seen = Seen("8.8.8.8:80");
    seen.target = *Endpoint::Unix(path);
    learned.Add(seen);
    const LoadedPolicy loaded = ParsePolicy(learned.ToString());
    ASSERT_TRUE(loaded.policy.has_value()) << learned.ToString();
    ASSERT_EQ(loaded.policy->roles.size(), 1U);
    const std::vector<Rule>& rules = loaded.policy->roles[0].policy.rules();
    ASSERT_EQ(rules.size(), 1U);
    EXPECT_EQ(std::get<UnixPath>(rules[0].target).path, path);
  }
}

TEST(LearnedPolicy, ARoleThatNoPolicyCanHaveIsLeftOut) {
  for (const std::string& name : std::vector<std::string>{
           "x]\nallow = []\n[roles.y", "\"", "'", "a b", "é", std::string(65, 'x'),
           std::string(60'000, '\n'), std::string("a\0b", 3)}) {
    SeenDecision seen = Seen("8.8.8.8:80");
    seen.role = name;
    LearnedPolicy learned;
    learned.Add(seen);
    EXPECT_FALSE(learned.has_role());
    EXPECT_TRUE(absl::StrContains(learned.ToString(), "\n# Left out: the role '"));
    learned.Add(Seen("8.8.8.8:80"));
    EXPECT_TRUE(learned.has_role());
    const LoadedPolicy loaded = ParsePolicy(learned.ToString());
    ASSERT_TRUE(loaded.policy.has_value()) << learned.ToString();
    ASSERT_EQ(loaded.policy->roles.size(), 1U);
    EXPECT_EQ(loaded.policy->roles[0].name, "r");
  }
}

TEST(LearnedPolicy, EveryNameThatARoleMayHaveIsKept) {
  LearnedPolicy learned;
  const std::vector<std::string> names = {"-", "...", "1", "A_b-9", "a.b", std::string(64, 'x')};
  for (const std::string& name : names) {
    SeenDecision seen = Seen("8.8.8.8:80");
    seen.role = name;
    learned.Add(seen);
  }
  const LoadedPolicy loaded = ParsePolicy(learned.ToString());
  ASSERT_TRUE(loaded.policy.has_value()) << learned.ToString();
  std::vector<std::string> loaded_names;
  for (const Role& role : loaded.policy->roles) loaded_names.push_back(role.name);
  EXPECT_EQ(loaded_names, names);
}

}  // namespace
}  // namespace sockgate
