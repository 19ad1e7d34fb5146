// The steps of a decision, as `sockgate explain` hears of them.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "broker/policy/policy.h"
#include "broker/policy/trace.h"
#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

constexpr auto kAllow = Decision::kAllow;
constexpr auto kDeny = Decision::kDeny;

class Steps final : public Trace {
 public:
  void OnStep(const Step& step) override {
    static constexpr const char* kWords[] = {
        "address", "embedded", "name",     "path",        "special",    "unspecified", "own",
        "denies",  "allows",   "too-wide", "not-private", "other-port", "no-rule",     "report"};
    std::string text = kWords[static_cast<size_t>(step.kind)];
    if (step.address != nullptr) absl::StrAppend(&text, " ", step.address->ToString());
    if (step.special != nullptr) absl::StrAppend(&text, " in ", step.special->range.ToString());
    if (step.rule != nullptr) absl::StrAppend(&text, " rule ", step.number);
    if (!step.text.empty()) absl::StrAppend(&text, " '", step.text, "'");
    steps.push_back(text);
  }

  std::vector<std::string> steps;
};

std::vector<std::string> StepsOf(const Policy& policy, const Endpoint& endpoint,
                                 const std::vector<const HostName*>& names = {}) {
  Steps steps;
  policy.Decide(endpoint, Transport::kStream, names, &steps);
  return steps.steps;
}

using Texts = std::vector<std::string>;

TEST(TraceTest, AnAllowedAddressAndTheRule) {
  const Policy policy({OnCidr(kAllow, "9.0.0.0/8", "80"), OnCidr(kAllow, "10.0.0.0/8")});
  EXPECT_EQ(StepsOf(policy, At("9.9.9.9", 80)), (Texts{"address 9.9.9.9", "allows rule 1"}));
  EXPECT_EQ(StepsOf(policy, At("10.0.0.1", 80)),
            (Texts{"address 10.0.0.1", "special 10.0.0.1 in 10.0.0.0/8", "allows rule 2"}));
}

TEST(TraceTest, WhatCameClosestWhenNothingAllows) {
  const Policy policy({OnCidr(kAllow, "9.0.0.0/8", "80"), OnCidr(kAllow, "0.0.0.0/0"),
                       OnCidr(kDeny, "1.0.0.0/8"), OnHost(kAllow, "example.com", "443")});
  EXPECT_EQ(StepsOf(policy, At("127.0.0.1", 443)),
            (Texts{"address 127.0.0.1", "special 127.0.0.1 in 127.0.0.0/8",
                   "too-wide 127.0.0.1 in 127.0.0.0/8 rule 2", "no-rule 127.0.0.1"}));
  const HostName name = Name("example.com");
  EXPECT_EQ(StepsOf(Policy({OnCidr(kAllow, "9.0.0.0/8", "80")}), At("9.9.9.9", 443)),
            (Texts{"address 9.9.9.9", "other-port 9.9.9.9 rule 1", "no-rule 9.9.9.9"}));
  EXPECT_EQ(StepsOf(policy, At("127.0.0.1", 443), {&name}),
            (Texts{"address 127.0.0.1", "special 127.0.0.1 in 127.0.0.0/8",
                   "too-wide 127.0.0.1 in 127.0.0.0/8 rule 2",
                   "not-private 127.0.0.1 in 127.0.0.0/8 rule 4", "no-rule 127.0.0.1"}));
}

TEST(TraceTest, TheAddressWithinAnAddress) {
  const Policy policy({OnCidr(kAllow, "64:ff9b::/96"), OnCidr(kDeny, "10.0.0.0/8")});
  EXPECT_EQ(StepsOf(policy, At("64:ff9b::10.0.0.1", 80)),
            (Texts{"address 64:ff9b::a00:1", "special 64:ff9b::a00:1 in 64:ff9b::/96",
                   "allows rule 1", "embedded 10.0.0.1 'NAT64'", "denies rule 2"}));
}

TEST(TraceTest, PlacesThatNoRuleOpens) {
  const Policy policy({}, PolicyMode::kEnforce, {{Cidr::Parse("9.9.9.9").value()}, {"/run/gate"}});
  EXPECT_EQ(StepsOf(policy, At("0.0.0.0", 80)), (Texts{"address 0.0.0.0", "unspecified 0.0.0.0"}));
  EXPECT_EQ(StepsOf(policy, At("9.9.9.9", 80)), (Texts{"address 9.9.9.9", "own 9.9.9.9"}));
  EXPECT_EQ(StepsOf(policy, *Endpoint::Unix("/run/gate")),
            (Texts{"path '/run/gate'", "own '/run/gate'"}));
}

TEST(TraceTest, ReportModeComesLast) {
  const Policy policy({}, PolicyMode::kReport);
  EXPECT_EQ(StepsOf(policy, *Endpoint::Unix("/run/x")), (Texts{"path '/run/x'", "no-rule"}));
  Steps steps;
  policy.DecideName(Name("example.com"), &steps);
  EXPECT_EQ(steps.steps, (Texts{"name 'example.com'", "no-rule", "report"}));
}

}  // namespace
}  // namespace sockgate::testing
