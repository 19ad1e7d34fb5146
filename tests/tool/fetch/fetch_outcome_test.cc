#include "tool/fetch/fetch_outcome.h"

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "absl/strings/match.h"
#include "nlohmann/json.hpp"
#include "tool/fetch/content_length.h"
#include "tool/fetch/shown_url.h"

namespace sockgate {
namespace {

FetchOutcome Ended(CURLcode code) {
  FetchOutcome outcome;
  outcome.url = "http://a.example/";
  outcome.result.code = code;
  outcome.result.text = "it says";
  return outcome;
}

FetchPolicy Default() { return *FetchPolicy::Choose({}); }

TEST(FetchOutcomeTest, SaysWhatWentWrongAndWhatToDo) {
  EXPECT_EQ(Ended(CURLE_FILESIZE_EXCEEDED).Message(Default(), 63),
            "http://a.example/: (63) it says; --max-filesize lets more through");
  FetchOutcome denied = Ended(CURLE_COULDNT_RESOLVE_HOST);
  denied.url = "http://a.example:81/";
  denied.result.error = ConnectError::Local(ConnectError::Kind::kDenied, EACCES);
  denied.result.error.reason = Reason::kNoRuleMatches;
  EXPECT_EQ(denied.ExitStatus(Default()), 120);
  EXPECT_EQ(
      denied.Message(Default(), 120),
      "http://a.example:81/: (120) it says; --allow public:80,443 --allow a.example:81 let it "
      "through");
}

TEST(FetchOutcomeTest, AWorkersEndIsNoServersFault) {
  FetchOutcome outcome = Ended(CURLE_OK);
  for (const Fate fate :
       {Fate::kCrashed, Fate::kHung, Fate::kMisbehaved, Fate::kInterrupted, Fate::kNoWorker}) {
    outcome.result.fate = fate;
    EXPECT_EQ(outcome.ExitStatus(Default()), 122);
  }
  outcome.result.fate = Fate::kCancelled;
  outcome.output = absl::DataLossError("half of it is written");
  EXPECT_EQ(outcome.ExitStatus(Default()), 122);
  outcome.output = absl::ErrnoToStatus(ENOSPC, "disk");
  EXPECT_EQ(outcome.ExitStatus(Default()), 23);
}

TEST(FetchOutcomeTest, NoWorkerChoosesAnExitStatusThatIsNotLibcurls) {
  for (const uint32_t code : {120U, 121U, 255U, 256U, 512U, UINT32_MAX}) {
    FetchOutcome outcome = Ended(CURLE_OK);
    outcome.result.code = code;
    EXPECT_EQ(outcome.ExitStatus(Default()), 122) << code;
  }
  EXPECT_EQ(Ended(CURLE_GOT_NOTHING).ExitStatus(Default()), 52);
}

TEST(FetchOutcomeTest, WhatAServerWritesIsNotObeyed) {
  FetchOutcome outcome = Ended(CURLE_COULDNT_CONNECT);
  outcome.result.text = "\x1b[2J\n\xff";
  outcome.result.effective_url = "http://a/\x1b\xff";
  EXPECT_TRUE(absl::StrContains(outcome.Message(Default(), 7), "\\x1b[2J\\x0a\\xff"));
  const std::string json = outcome.Json(Default(), 7);
  for (const char c : json) EXPECT_TRUE(c >= ' ' && c < '\x7f') << json;
  EXPECT_EQ(nlohmann::json::parse(json)["exit_status"], 7);
}

TEST(FetchOutcomeTest, NoPasswordIsInAMessage) {
  EXPECT_EQ(ShownUrl("http://user:secret@a.example/x?y#z"), "http://a.example/x?y#z");
  EXPECT_EQ(ShownUrl("http://a.example/x@y"), "http://a.example/x@y");
  EXPECT_EQ(ShownUrl("http://a.example/"), "http://a.example/");
  EXPECT_EQ(ShownUrl("http://user:secret@a b/"), "http://a b/");
  EXPECT_EQ(ShownUrl("user:secret@a b/"), "a b/");
  FetchOutcome outcome = Ended(CURLE_COULDNT_CONNECT);
  outcome.url = "http://user:secret@a.example/";
  EXPECT_FALSE(absl::StrContains(outcome.Message(Default(), 7), "secret"));
}

TEST(FetchOutcomeTest, ALengthIsOneThatWillBeWritten) {
  EXPECT_EQ(ContentLength("HTTP/1.1 200 OK\r\ncontent-length: 12 \r\n\r\n"), 12U);
  EXPECT_EQ(ContentLength("Content-Length: 12\r\nContent-Encoding: gzip\r\n"), 0U);
  for (const char* odd : {"", "Content-Length: -1\r\n", "Content-Length: x\r\n",
                          "Content-Length\r\n", "Content-Length: 99999999999999999999\r\n"}) {
    EXPECT_EQ(ContentLength(odd), 0U) << odd;
  }
}

}  // namespace
}  // namespace sockgate
