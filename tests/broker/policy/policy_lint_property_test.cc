// A rule of which is said that it allows, denies or adds nothing can go: without it every question
// has the same answer. Over random policies of rules that have much to do with each other.

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/broker/policy/load_policy.h"
#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

constexpr int kPolicies = 400;

class RandomPolicies {
 public:
  // One rule a line, from line 8 on.
  std::string Next() {
    std::string text = "allow = [\n";
    const int allows = 1 + Below(4);
    for (int i = 0; i < allows; ++i) absl::StrAppend(&text, "{ ", NextRule(true), " },\n");
    absl::StrAppend(&text, "]\ndeny = [\n");
    const int denies = Below(3);
    for (int i = 0; i < denies; ++i) absl::StrAppend(&text, "{ ", NextRule(false), " },\n");
    return WithRules(text + "]\n" + (Below(4) == 0 ? "mode = \"report\"\n" : ""));
  }

 private:
  int Below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }

  template <size_t kSize>
  std::string Any(const char* const (&texts)[kSize]) {
    return texts[Below(kSize)];
  }

  std::string NextRule(bool allow) {
    const std::string target = NextTarget();
    std::string rule = target + ", ports = \"" + Any({"80", "443", "80,443", "*"}) + "\"";
    if (absl::StartsWith(target, "unix")) return target;
    if (Below(4) == 0) rule += ", transport = \"" + Any({"tcp", "udp", "any"}) + "\"";
    if (allow && absl::StartsWith(target, "host") && Below(3) == 0) rule += ", private = true";
    return rule;
  }

  std::string NextTarget() {
    switch (Below(5)) {
      case 0:
        return "public = true";
      case 1:
        return "unix = \"" + Any({"/run/x", "/run/y"}) + "\"";
      case 2:
        return "host = \"" + Any({"a.example", "b.a.example", "*.a.example", "*.example"}) + "\"";
      default:
        return "cidr = \"" +
               Any({"0.0.0.0/0", "8.0.0.0/5", "9.9.9.0/24", "9.9.9.9", "10.0.0.0/8", "10.0.0.0/24",
                    "192.0.0.0/8", "192.0.0.0/24", "192.0.0.0/29", "::/0", "2000::/3",
                    "64:ff9b::/96", "64:ff9b::a00:1", "2002::/16", "2606:4700::/32"}) +
               "\"";
    }
  }

  // NOLINTNEXTLINE(cert-msc32-c,cert-msc51-cpp): a failure must come back at the next run
  std::mt19937 random_{1};
};

Policy Without(const Policy& policy, size_t index) {
  std::vector<Rule> rules = policy.rules();
  rules.erase(rules.begin() + static_cast<ptrdiff_t>(index));
  return Policy(std::move(rules), policy.mode());
}

// Names that the broker would have looked up.
std::vector<std::vector<HostName>> Names(const Policy& policy) {
  std::vector<std::vector<HostName>> all = {{}};
  for (const char* text :
       {"a.example", "b.a.example", "c.b.a.example", "c.example", "other.test"}) {
    if (policy.DecideName(Name(text)).lets_through()) all.push_back({Name(text)});
  }
  return all;
}

std::vector<Endpoint> Endpoints() {
  std::vector<Endpoint> all = {*Endpoint::Unix("/run/x"), *Endpoint::Unix("/run/y")};
  for (const char* address :
       {"9.9.9.9", "9.9.9.1", "9.1.1.1", "1.1.1.1", "10.0.0.1", "10.9.9.9", "192.0.0.1",
        "192.0.0.9", "192.0.0.77", "192.5.5.5", "2606:4700::1", "2001:db8::1", "64:ff9b::a00:1",
        "64:ff9b::909:909", "64:ff9b::101:101", "2002:a00:1::", "2002:909:909::", "fd00::1"}) {
    for (const uint16_t port : {80, 443, 25}) all.push_back(At(address, port));
  }
  return all;
}

void CheckSameAnswers(const Policy& policy, const Policy& other, const std::string& said,
                      const std::string& text) {
  static const std::vector<Endpoint> endpoints = Endpoints();
  for (const std::vector<HostName>& names : Names(policy)) {
    std::vector<const HostName*> pointers;
    for (const HostName& name : names) pointers.push_back(&name);
    for (const Endpoint& endpoint : endpoints) {
      for (const Transport transport : {Transport::kStream, Transport::kDatagram}) {
        // No rule is about UNIX datagrams.
        if (!endpoint.is_ip() && transport == Transport::kDatagram) continue;
        const Verdict with = policy.Decide(endpoint, transport, pointers);
        const Verdict without = other.Decide(endpoint, transport, pointers);
        ASSERT_EQ(with.decision, without.decision)
            << said << "\n"
            << text << endpoint.ToString() << " " << (names.empty() ? "" : names[0].text());
      }
    }
  }
}

TEST(PolicyLintPropertyTest, WhatIsSaidToBeIdleCanGo) {
  RandomPolicies policies;
  int said = 0;
  for (int i = 0; i < kPolicies && !HasFatalFailure(); ++i) {
    const std::string text = policies.Next();
    const LoadedPolicy loaded = ParsePolicy(text);
    const Policy& policy = RoleOf(loaded, "r").policy;
    for (const Finding& finding : loaded.findings) {
      if (!absl::StrContains(finding.message, "nothing")) continue;
      for (size_t rule = 0; rule < policy.rules().size(); ++rule) {
        if (policy.rules()[rule].line != finding.line) continue;
        CheckSameAnswers(policy, Without(policy, rule), InWords(finding), text);
        ++said;
      }
    }
  }
  EXPECT_GT(said, kPolicies / 2);
}

}  // namespace
}  // namespace sockgate::testing
