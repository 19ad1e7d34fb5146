#include "tests/support/http_request.h"

#include <gtest/gtest.h>

namespace sockgate::testing {
namespace {

using Outcome = HttpRequestParser::Outcome;

constexpr char kPost[] =
    "POST /echo?x=1 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nX-Empty:\r\n\r\nhello";

Outcome Parse(const std::string& bytes, HttpRequest* request) {
  HttpRequestParser parser;
  parser.Append(bytes);
  return parser.Next(request);
}

int StatusOf(const std::string& bytes) {
  HttpRequestParser parser;
  HttpRequest request;
  parser.Append(bytes);
  return parser.Next(&request) == Outcome::kBad ? parser.error_status() : 0;
}

TEST(HttpRequestParserTest, ReadsARequestInFull) {
  HttpRequest request;
  ASSERT_EQ(Parse(kPost, &request), Outcome::kComplete);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/echo?x=1");
  EXPECT_EQ(request.body, "hello");
  EXPECT_TRUE(request.keep_alive);
  ASSERT_EQ(request.headers.size(), 3U);
  EXPECT_EQ(request.headers[0].name, "Host");
  EXPECT_EQ(request.headers[0].value, "a.test");
  EXPECT_EQ(request.headers[2].value, "");
}

TEST(HttpRequestParserTest, WaitsForEveryByte) {
  HttpRequestParser parser;
  HttpRequest request;
  const std::string bytes = kPost;
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    parser.Append(bytes.substr(i, 1));
    ASSERT_EQ(parser.Next(&request), Outcome::kNeedMore) << i;
  }
  parser.Append("o");
  ASSERT_EQ(parser.Next(&request), Outcome::kComplete);
  EXPECT_EQ(request.body, "hello");
}

TEST(HttpRequestParserTest, KeepsWhatFollowsForTheNextRequest) {
  HttpRequestParser parser;
  HttpRequest request;
  parser.Append(std::string(kPost) + "GET /second HTTP/1.1\r\n\r\nGET /th");
  ASSERT_EQ(parser.Next(&request), Outcome::kComplete);
  ASSERT_EQ(parser.Next(&request), Outcome::kComplete);
  EXPECT_EQ(request.target, "/second");
  EXPECT_EQ(request.body, "");
  EXPECT_TRUE(request.headers.empty());
  EXPECT_EQ(parser.Next(&request), Outcome::kNeedMore);
}

TEST(HttpRequestParserTest, KnowsWhenToKeepTheConnection) {
  const auto keeps = [](const std::string& bytes) {
    HttpRequest request;
    EXPECT_EQ(Parse(bytes, &request), Outcome::kComplete);
    return request.keep_alive;
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nConnection: TE, Close\r\n\r\n"));
}

TEST(HttpRequestParserTest, AsksOnceForABodyThatIsHeldBack) {
  HttpRequestParser parser;
  HttpRequest request;
  parser.Append("PUT /echo HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_FALSE(parser.TakeContinue());
  ASSERT_EQ(parser.Next(&request), Outcome::kNeedMore);
  EXPECT_TRUE(parser.TakeContinue());
  EXPECT_FALSE(parser.TakeContinue());
  parser.Append("ab");
  ASSERT_EQ(parser.Next(&request), Outcome::kComplete);
  EXPECT_EQ(request.body, "ab");
}

TEST(HttpRequestParserTest, RefusesTheMalformed) {
  for (const char* head : {
           "",
           "GET",
           "GET /",
           "GET  / HTTP/1.1",
           "GET / HTTP/1.1 ",
           "G@T / HTTP/1.1",
           "GET hello HTTP/1.1",
           "GET http://a.test/ HTTP/1.1",
           "GET /\x7f HTTP/1.1",
           "GET /\xc3\xa9 HTTP/1.1",
           "GET / FTP/1.1",
           "AMETHODTHATISFARTOOLONG / HTTP/1.1",
           "GET / HTTP/1.1\r\nno colon",
           "GET / HTTP/1.1\r\n: no name",
           "GET / HTTP/1.1\r\nbad name: x",
           "GET / HTTP/1.1\r\nA: x\r\n folded",
           "GET / HTTP/1.1\r\nA: x\ny",
           "GET / HTTP/1.1\r\nContent-Length: ",
           "GET / HTTP/1.1\r\nContent-Length: -1",
           "GET / HTTP/1.1\r\nContent-Length: +1",
           "GET / HTTP/1.1\r\nContent-Length: 1x",
           "GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999",
           "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1",
       }) {
    EXPECT_EQ(StatusOf(std::string(head) + "\r\n\r\n"), 400) << head;
  }
}

TEST(HttpRequestParserTest, RefusesWhatItDoesNotSupport) {
  EXPECT_EQ(StatusOf("GET / HTTP/2\r\n\r\n"), 505);
  EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), 501);
}

TEST(HttpRequestParserTest, LimitsHeadAndBody) {
  const std::string filler(HttpRequestParser::kMaxHeadBytes, 'a');
  EXPECT_EQ(StatusOf("GET /" + filler), 431);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nA: " + filler + "\r\n\r\n"), 431);
  const std::string most = std::to_string(HttpRequestParser::kMaxBodyBytes);
  const std::string more = std::to_string(HttpRequestParser::kMaxBodyBytes + 1);
  EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nContent-Length: " + most + "\r\n\r\n"), 0);
  EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nContent-Length: " + more + "\r\n\r\n"), 413);
}

TEST(HttpRequestParserTest, StaysBadOnceBad) {
  HttpRequestParser parser;
  HttpRequest request;
  parser.Append("bad\r\n\r\n");
  ASSERT_EQ(parser.Next(&request), Outcome::kBad);
  parser.Append(kPost);
  EXPECT_EQ(parser.Next(&request), Outcome::kBad);
  EXPECT_EQ(parser.error_status(), 400);
}

TEST(HttpRequestParserTest, SurvivesEveryTruncationAndEveryFlippedByte) {
  const std::string bytes = kPost;
  HttpRequest request;
  for (size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(Parse(bytes.substr(0, i), &request), Outcome::kNeedMore) << i;
    for (int value = 0; value < 256; ++value) {
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(value);
      Parse(flipped, &request);
    }
  }
}

}  // namespace
}  // namespace sockgate::testing
