#include "tool/fetch_failure.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tool/exit_status.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;

ConnectError Denied(Reason reason) {
  ConnectError error = ConnectError::Local(Kind::kDenied, EACCES);
  error.reason = reason;
  return error;
}

TEST(FetchFailureTest, ADenialAndALimitHaveStatusesOfTheirOwn) {
  for (const CURLcode code :
       {CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY}) {
    EXPECT_EQ(ExitStatus(code, Denied(Reason::kNoRuleMatches)), kExitDenied);
    EXPECT_EQ(ExitStatus(code, ConnectError::Local(Kind::kLimited, EAGAIN)), kExitLimited);
    EXPECT_EQ(ExitStatus(code, ConnectError::Local(Kind::kBrokerGone, EPIPE)), kExitBroker);
    EXPECT_EQ(ExitStatus(code, ConnectError::Local(Kind::kLookup, ENOENT)), code);
    EXPECT_EQ(ExitStatus(code, ConnectError()), code);
  }
}

// One address of a host may be denied and the other serve an error.
TEST(FetchFailureTest, ADenialThatDidNotEndTheTransferIsNotItsStatus) {
  EXPECT_EQ(ExitStatus(CURLE_HTTP_RETURNED_ERROR, Denied(Reason::kNoRuleMatches)),
            CURLE_HTTP_RETURNED_ERROR);
}

TEST(FetchFailureTest, TheBrokersDeadlineIsATimeOut) {
  EXPECT_EQ(ExitStatus(CURLE_COULDNT_CONNECT, ConnectError::Local(Kind::kNetwork, ETIMEDOUT)),
            CURLE_OPERATION_TIMEDOUT);
}

TEST(FetchFailureTest, AdviceIsWhatTheOptionTakes) {
  const Endpoint v4 = Endpoint::Ip(*IpAddress::Parse("127.0.0.1"), 8080);
  const Endpoint v6 = Endpoint::Ip(*IpAddress::Parse("2001:db8::1"), 443);
  const ConnectError no_rule = Denied(Reason::kNoRuleMatches);
  const ConnectError special = Denied(Reason::kSpecialPurpose);
  EXPECT_EQ(Advice(no_rule, "https://a.example/x", nullptr),
            "; --allow a.example:443 lets it through");
  EXPECT_EQ(Advice(special, "https://a.example/x", nullptr),
            ": it leads to no public address; --allow-private a.example:443 lets it through, "
            "wherever it leads");
  EXPECT_EQ(Advice(special, "http://localhost/", nullptr),
            "; --allow localhost:80 lets it through");
  EXPECT_EQ(Advice(no_rule, "ftp://a.example/x", &v4), "; --allow a.example:8080 lets it through");
  EXPECT_EQ(Advice(special, "http://0x7f.1:8080/", &v4),
            "; --allow 127.0.0.1:8080 lets it through");
  EXPECT_EQ(Advice(no_rule, "https://[2001:db8::1]/", &v6),
            "; --allow [2001:db8::1]:443 lets it through");
}

TEST(FetchFailureTest, AdviceNamesTheAddressesThatAnotherStandsFor) {
  const Endpoint nat64 = Endpoint::Ip(*IpAddress::Parse("64:ff9b::a00:1"), 80);
  const Endpoint sixtofour = Endpoint::Ip(*IpAddress::Parse("2002:a00:1::"), 80);
  EXPECT_EQ(Advice(Denied(Reason::kNoRuleMatches), "http://[64:ff9b::a00:1]/", &nat64),
            ": it stands for 10.0.0.1 (NAT64); --allow [64:ff9b::a00:1]:80 --allow 10.0.0.1:80 let "
            "it through");
  EXPECT_EQ(Advice(Denied(Reason::kEmbeddedAddress), "http://[64:ff9b::a00:1]/", &nat64),
            ": it stands for 10.0.0.1 (NAT64); --allow 10.0.0.1:80 lets it through");
  EXPECT_EQ(Advice(Denied(Reason::kDenyRule), "http://[2002:a00:1::]/", &sixtofour),
            ": it stands for 10.0.0.1 (6to4); without that rule it may be let through");
  const Endpoint mapped = Endpoint::Ip(*IpAddress::Parse("::ffff:10.0.0.1"), 80);
  EXPECT_EQ(Advice(Denied(Reason::kSpecialPurpose), "http://[::ffff:10.0.0.1]/", &mapped),
            "; --allow 10.0.0.1:80 lets it through");
}

TEST(FetchFailureTest, NobodyIsToldHowToOpenTheMetadataService) {
  const std::string service =
      "; that is a cloud's metadata service, which gives out this machine's credentials: leave it "
      "closed";
  const ConnectError denied = Denied(Reason::kSpecialPurpose);
  for (const char* address : {"169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254"}) {
    const Endpoint there = Endpoint::Ip(*IpAddress::Parse(address), 80);
    for (const RulesIn rules : {RulesIn::kDefault, RulesIn::kOptions, RulesIn::kPolicyFile}) {
      EXPECT_EQ(Advice(denied, "http://a.example/", &there, rules), service) << address;
    }
  }
  EXPECT_EQ(Advice(denied, "http://metadata.google.internal/", nullptr), service);
  const Endpoint nat64 = Endpoint::Ip(*IpAddress::Parse("64:ff9b::a9fe:a9fe"), 80);
  EXPECT_EQ(Advice(denied, "http://[64:ff9b::a9fe:a9fe]/", &nat64),
            ": it stands for 169.254.169.254 (NAT64)" + service);
  for (const char* address : {"169.254.1.1", "fe80::1"}) {
    const Endpoint there = Endpoint::Ip(*IpAddress::Parse(address), 80);
    const std::string advice = Advice(denied, "http://a.example/", &there);
    EXPECT_EQ(advice.rfind("; that is a link-local address, ", 0), 0U) << advice;
    EXPECT_EQ(advice.find("--allow"), std::string::npos) << advice;
  }
}

TEST(FetchFailureTest, NoAdviceWhereNoneWouldHelp) {
  EXPECT_EQ(Advice(Denied(Reason::kUnspecified), "http://0.0.0.0/", nullptr), "");
  EXPECT_EQ(Advice(ConnectError::Local(Kind::kLookup, ENOENT), "http://a.example/", nullptr), "");
  EXPECT_EQ(Advice(Denied(Reason::kNoRuleMatches), "http://a b/", nullptr), "");
}

}  // namespace
}  // namespace sockgate
