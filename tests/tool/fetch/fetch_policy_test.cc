#include "tool/fetch/fetch_policy.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "proto/endpoint.h"

namespace sockgate {
namespace {

bool Allows(const FetchPolicy& policy, const std::string& address, uint16_t port) {
  return policy.role.policy
      .Decide(Endpoint::Ip(*IpAddress::Parse(address), port), Transport::kStream)
      .lets_through();
}

FetchPolicy Chosen(const FetchOptions& options) {
  auto policy = FetchPolicy::Choose(options);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? *std::move(policy) : FetchPolicy();
}

std::string PolicyFile() {
  const std::string path = absl::StrCat(std::getenv("TEST_TMPDIR"), "/policy.toml");
  std::ofstream(path) << "version = 1\n"
                         "[roles.one]\n"
                         "allow = [\n"
                         "  { cidr = \"192.0.2.0/24\", ports = 80 },\n"
                         "]\n"
                         "[roles.two]\n"
                         "allow = [ { public = true, ports = 443 } ]\n";
  return path;
}

TEST(FetchPolicyTest, IsSafeByDefault) {
  const FetchPolicy policy = Chosen({});
  EXPECT_TRUE(Allows(policy, "93.184.215.14", 443));
  EXPECT_TRUE(Allows(policy, "93.184.215.14", 80));
  EXPECT_FALSE(Allows(policy, "93.184.215.14", 25));
  for (const char* address : {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1",
                              "::ffff:127.0.0.1", "64:ff9b::7f00:1"}) {
    EXPECT_FALSE(Allows(policy, address, 80)) << address;
  }
}

TEST(FetchPolicyTest, WhatIsAllowedTakesThePlaceOfTheDefaultAndWhatIsDeniedDoesNot) {
  FetchOptions options;
  options.allow = {"192.0.2.1:80"};
  EXPECT_FALSE(Allows(Chosen(options), "93.184.215.14", 443));
  EXPECT_TRUE(Allows(Chosen(options), "192.0.2.1", 80));
  options.allow.clear();
  options.deny = {"93.184.215.0/24:*"};
  EXPECT_FALSE(Allows(Chosen(options), "93.184.215.14", 443));
  EXPECT_TRUE(Allows(Chosen(options), "93.184.216.14", 443));
  EXPECT_EQ(Chosen(options).Source(1), "--allow public:80,443");
  EXPECT_EQ(Chosen(options).Source(2), "--deny 93.184.215.0/24:*");
}

TEST(FetchPolicyTest, TakesARoleOfAFile) {
  FetchOptions options;
  options.policy_file = PolicyFile();
  EXPECT_EQ(
      FetchPolicy::Choose(options).status().message(),
      absl::StrCat("write --role with one of the roles of ", options.policy_file, ": one, two"));
  options.role = "three";
  EXPECT_EQ(
      FetchPolicy::Choose(options).status().message(),
      absl::StrCat("--role 'three' is none of the roles of ", options.policy_file, ": one, two"));
  options.role = "one";
  const FetchPolicy policy = Chosen(options);
  EXPECT_TRUE(Allows(policy, "192.0.2.1", 80));
  EXPECT_FALSE(Allows(policy, "93.184.215.14", 443));
  EXPECT_EQ(policy.Source(1), absl::StrCat(options.policy_file, ":4"));
  options.policy_file = "/no/such/file";
  EXPECT_FALSE(FetchPolicy::Choose(options).ok());
}

TEST(FetchPolicyTest, AdviceIsAboutTheRulesThatThereAre) {
  ConnectError denied = ConnectError::Local(ConnectError::Kind::kDenied, EACCES);
  denied.reason = Reason::kNoRuleMatches;
  const std::string url = "http://a.example:81/";
  // The default goes when there is a rule, and it is not to go unseen.
  EXPECT_EQ(Chosen({}).Advice(denied, url, "", 0),
            "; --allow public:80,443 --allow a.example:81 let it through");
  FetchOptions options;
  options.allow_private = {"b.example:81"};
  EXPECT_EQ(Chosen(options).Advice(denied, url, "", 0), "; --allow a.example:81 lets it through");
  options = {};
  options.policy_file = PolicyFile();
  options.role = "one";
  EXPECT_EQ(Chosen(options).Advice(denied, url, "", 0),
            "; { host = \"a.example\", ports = 81 } among the role's allow rules lets it through");
  EXPECT_EQ(
      Chosen(options).Advice(denied, "http://[2001:db8::1]:81/", "2001:db8::1", 81),
      "; { cidr = \"2001:db8::1\", ports = 81 } among the role's allow rules lets it through");
  options = {};
  options.deny = {"a.example:*"};
  denied.reason = Reason::kDenyRule;
  denied.rule = 2;
  EXPECT_EQ(Chosen(options).Advice(denied, url, "", 0),
            ", which is --deny a.example:*; without that rule it may be let through");
}

}  // namespace
}  // namespace sockgate
