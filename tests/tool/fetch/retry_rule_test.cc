#include "tool/fetch/retry_rule.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

AttemptEnd Http(long status, CURLcode code = CURLE_OK) {
  AttemptEnd end;
  end.code = code;
  end.response_code = status;
  return end;
}

AttemptEnd NotConnected(Kind kind, int error_number) {
  AttemptEnd end;
  end.code = kind == Kind::kLookup ? CURLE_COULDNT_RESOLVE_HOST : CURLE_COULDNT_CONNECT;
  end.error = ConnectError::Local(kind, error_number);
  return end;
}

TEST(RetryRuleTest, WhatCurlCallsTransient) {
  for (const long status : {408, 429, 500, 502, 503, 504}) {
    EXPECT_TRUE(RetryRule::IsTransient(Http(status))) << status;
    EXPECT_TRUE(RetryRule::IsTransient(Http(status, CURLE_HTTP_RETURNED_ERROR))) << status;
  }
  for (const long status : {0, 200, 301, 400, 401, 403, 404, 410, 501, 505}) {
    EXPECT_FALSE(RetryRule::IsTransient(Http(status))) << status;
  }
  EXPECT_TRUE(RetryRule::IsTransient(Http(0, CURLE_OPERATION_TIMEDOUT)));
  EXPECT_FALSE(RetryRule::IsTransient(Http(0, CURLE_COULDNT_CONNECT)));
  EXPECT_FALSE(RetryRule::IsTransient(Http(0, CURLE_PEER_FAILED_VERIFICATION)));
  AttemptEnd ftp = Http(421, CURLE_FTP_COULDNT_RETR_FILE);
  ftp.is_ftp = true;
  EXPECT_TRUE(RetryRule::IsTransient(ftp));
  ftp.response_code = 550;
  EXPECT_FALSE(RetryRule::IsTransient(ftp));
}

TEST(RetryRuleTest, ADenialIsFinalAndALimitIsNot) {
  EXPECT_FALSE(RetryRule::IsTransient(NotConnected(Kind::kDenied, EACCES)));
  EXPECT_FALSE(RetryRule::IsTransient(NotConnected(Kind::kBrokerGone, EPIPE)));
  EXPECT_FALSE(RetryRule::IsTransient(NotConnected(Kind::kNetwork, ECONNREFUSED)));
  EXPECT_FALSE(RetryRule::IsTransient(NotConnected(Kind::kLookup, ENOENT)));
  EXPECT_TRUE(RetryRule::IsTransient(NotConnected(Kind::kLookup, EAGAIN)));
  EXPECT_TRUE(RetryRule::IsTransient(NotConnected(Kind::kLimited, EAGAIN)));
  AttemptEnd limited = NotConnected(Kind::kLimited, EAGAIN);
  limited.error.retry_after_ms = 250;
  EXPECT_EQ(RetryRule({3}).Next(limited, 0, milliseconds(0)), milliseconds(250));
  limited.error.retry_after_ms = 0;
  EXPECT_EQ(RetryRule({3}).Next(limited, 1, milliseconds(0)), seconds(2));
}

TEST(RetryRuleTest, EachPauseIsTwiceTheLastUpToTenMinutes) {
  const RetryRule rule({100});
  EXPECT_EQ(rule.Next(Http(503), 0, milliseconds(0)), seconds(1));
  EXPECT_EQ(rule.Next(Http(503), 1, milliseconds(0)), seconds(2));
  EXPECT_EQ(rule.Next(Http(503), 5, milliseconds(0)), seconds(32));
  EXPECT_EQ(rule.Next(Http(503), 10, milliseconds(0)), seconds(600));
  EXPECT_EQ(rule.Next(Http(503), 99, milliseconds(0)), seconds(600));
  EXPECT_EQ(rule.Next(Http(503), 100, milliseconds(0)), std::nullopt);
  EXPECT_EQ(RetryRule({0}).Next(Http(503), 0, milliseconds(0)), std::nullopt);
  EXPECT_EQ(RetryRule({9, milliseconds(50)}).Next(Http(503), 7, milliseconds(0)), milliseconds(50));
}

TEST(RetryRuleTest, NothingIsBegunAfterItsTime) {
  const RetryRule rule({9, milliseconds(0), seconds(10)});
  EXPECT_EQ(rule.Next(Http(503), 0, seconds(8)), seconds(1));
  EXPECT_EQ(rule.Next(Http(503), 0, seconds(9)), std::nullopt);
}

TEST(RetryRuleTest, AServersWishIsHonouredWithinReason) {
  AttemptEnd end = Http(429);
  end.retry_after = seconds(7);
  EXPECT_EQ(RetryRule({1, milliseconds(50)}).Next(end, 0, milliseconds(0)), seconds(7));
  EXPECT_EQ(RetryRule({1, milliseconds(0), seconds(5)}).Next(end, 0, milliseconds(0)),
            std::nullopt);
  end.retry_after = seconds(INT32_MAX);
  EXPECT_EQ(RetryRule({1}).Next(end, 0, milliseconds(0)), std::nullopt);
}

TEST(RetryRuleTest, ReadsRetryAfter) {
  const auto read = [](const char* headers) { return ReadRetryAfter(headers, 784111777).count(); };
  EXPECT_EQ(read("HTTP/1.1 503 x\r\nretry-after:  120 \r\n\r\n"), 120);
  EXPECT_EQ(read("Retry-After: Sun, 06 Nov 1994 08:50:07 GMT\r\n"), 30);
  EXPECT_EQ(read("Retry-After: Sun, 06 Nov 1994 08:40:00 GMT\r\n"), 0);
  EXPECT_EQ(read("X-Retry-After: 5\r\n"), 0);
  for (const char* odd : {"Retry-After: -5\r\n", "Retry-After: soon\r\n", "Retry-After:\r\n", ""}) {
    EXPECT_EQ(read(odd), 0) << odd;
  }
  EXPECT_EQ(read("Retry-After: 9223372036854775807\r\n"), INT32_MAX);
  EXPECT_EQ(read("Retry-After: 99999999999999999999999\r\n"), INT32_MAX);
}

}  // namespace
}  // namespace sockgate
