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

TEST(FetchFailureTest, NoAdviceWhereNoneWouldHelp) {
  EXPECT_EQ(Advice(Denied(Reason::kUnspecified), "http://0.0.0.0/", nullptr), "");
  EXPECT_EQ(Advice(ConnectError::Local(Kind::kLookup, ENOENT), "http://a.example/", nullptr), "");
  EXPECT_EQ(Advice(Denied(Reason::kNoRuleMatches), "http://a b/", nullptr), "");
}

}  // namespace
}  // namespace sockgate
