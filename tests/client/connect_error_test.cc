#include "client/connect_error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;

Result ResultOf(Outcome outcome, Reason reason = Reason::kNone, uint32_t rule = 0, int error = 0,
                uint32_t retry_after_ms = 0) {
  Result result;
  result.outcome = outcome;
  result.reason = reason;
  result.rule = rule;
  result.error = static_cast<uint32_t>(error);
  result.retry_after_ms = retry_after_ms;
  return result;
}

TEST(ConnectErrorTest, WhatTheBrokerSaid) {
  const struct {
    Result result;
    Kind kind;
    int error_number;
    const char* text;
  } cases[] = {
      {ResultOf(Outcome::kConnected, Reason::kNone, 1), Kind::kNone, 0, "no error"},
      {ResultOf(Outcome::kStarted), Kind::kNone, 0, "no error"},
      {ResultOf(Outcome::kOpened), Kind::kNone, 0, "no error"},
      {ResultOf(Outcome::kDenied, Reason::kDenyRule, 3), Kind::kDenied, EACCES,
       "denied by rule 3 (deny-rule)"},
      {ResultOf(Outcome::kDenied, Reason::kNoRuleMatches), Kind::kDenied, EACCES,
       "denied by the default (no-rule-matches)"},
      {ResultOf(Outcome::kDenied, Reason::kTransport), Kind::kDenied, EACCES, "denied (transport)"},
      {ResultOf(Outcome::kFailed, Reason::kNone, 1, ECONNREFUSED), Kind::kNetwork, ECONNREFUSED,
       "allowed, but the connection failed: Connection refused"},
      {ResultOf(Outcome::kFailed, Reason::kNone, 1, ETIMEDOUT), Kind::kNetwork, ETIMEDOUT,
       "allowed, but the connection failed: Connection timed out"},
      {ResultOf(Outcome::kLimited, Reason::kPending, 0, 0, 100), Kind::kLimited, EAGAIN,
       "over a limit of the role (too-many-pending), try again in 100 ms"},
      {ResultOf(Outcome::kBadRequest, Reason::kPortZero), Kind::kBadRequest, EINVAL,
       "cannot be connected to (port-zero)"},
  };
  for (const auto& one : cases) {
    const ConnectError error = ConnectError::FromResult(one.result);
    EXPECT_EQ(error.kind, one.kind) << one.text;
    EXPECT_EQ(error.error_number, one.error_number) << one.text;
    EXPECT_EQ(error.ToString(), one.text);
    EXPECT_EQ(error.ok(), one.kind == Kind::kNone);
    EXPECT_EQ(error.rule, one.result.rule);
    EXPECT_EQ(error.reason, one.result.reason);
    EXPECT_EQ(error.retry_after_ms, one.result.retry_after_ms);
  }
}

// EACCES is the policy's alone, so that a program can tell.
TEST(ConnectErrorTest, AFirewallDoesNotLookLikeThePolicy) {
  EXPECT_EQ(
      ConnectError::FromResult(ResultOf(Outcome::kFailed, Reason::kNone, 1, EACCES)).error_number,
      EPERM);
}

TEST(ConnectErrorTest, WhatTheWorkersOwnSideFound) {
  const struct {
    Kind kind;
    const char* text;
  } cases[] = {
      {Kind::kUnsupported, "only TCP, UDP and UNIX sockets can be brokered"},
      {Kind::kTableFull, "this process has no descriptor left (raise its RLIMIT_NOFILE)"},
      {Kind::kNoAnswer, "the broker did not answer in time"},
      {Kind::kBrokerGone, "the broker has gone or closed the channel (its audit log says why)"},
      {Kind::kBadReply, "the broker's reply is not sockgate's protocol"},
  };
  for (const auto& one : cases) {
    const ConnectError error = ConnectError::Local(one.kind, EIO);
    EXPECT_EQ(error.ToString(), one.text);
    EXPECT_EQ(error.error_number, EIO);
    EXPECT_FALSE(error.ok());
  }
}

TEST(ConnectErrorTest, WhetherTheClientWillTryAgain) {
  ConnectError error = ConnectError::Local(Kind::kBrokerGone);
  EXPECT_FALSE(error.WillReconnect());
  error.retry_after_ms = 70;
  EXPECT_TRUE(error.WillReconnect());
  EXPECT_EQ(error.ToString(),
            "the broker has gone or closed the channel (its audit log says why); the client "
            "connects to it anew, try again in 70 ms");
  error = ConnectError::FromResult(ResultOf(Outcome::kLimited, Reason::kPending, 0, 0, 100));
  EXPECT_FALSE(error.WillReconnect());
}

}  // namespace
}  // namespace sockgate
