#include "tests/support/http_routes.h"

#include <gtest/gtest.h>

namespace sockgate::testing {
namespace {

HttpReply Get(const std::string& target) {
  HttpRequest request;
  request.method = "GET";
  request.target = target;
  return Route(request);
}

std::string LocationOf(const HttpReply& reply) {
  for (const HttpHeader& header : reply.headers) {
    if (header.name == "Location") return header.value;
  }
  return "";
}

TEST(HttpRoutesTest, ReadsNumbersStrictly) {
  EXPECT_EQ(Get("/bytes/10").pattern_bytes, 10U);
  EXPECT_EQ(Get("/bytes/10?again").pattern_bytes, 10U);
  EXPECT_EQ(Get("/bytes/1099511627776").pattern_bytes, uint64_t{1} << 40);
  EXPECT_EQ(Get("/slow/600000").delay, std::chrono::minutes(10));
  for (const char* target : {"/bytes/", "/bytes/x", "/bytes/-1", "/bytes/+1", "/bytes/1/2",
                             "/bytes/1099511627777", "/bytes/99999999999999999999", "/slow/600001",
                             "/slow/", "/status/199", "/status/600", "/status/abc", "/status/"}) {
    EXPECT_EQ(Get(target).status, 400) << target;
  }
}

TEST(HttpRoutesTest, DecodesTheRedirectOnce) {
  EXPECT_EQ(LocationOf(Get("/redirect?to=http://a.test/x?y=1&z=2")), "http://a.test/x?y=1&z=2");
  EXPECT_EQ(LocationOf(Get("/redirect?to=http%3A%2F%2Fa.test%2F%2520")), "http://a.test/%20");
}

TEST(HttpRoutesTest, LetsNoHeaderBeSmuggledThroughARedirect) {
  for (const char* target :
       {"/redirect", "/redirect?to=", "/redirect?from=x", "/redirect?to=/x%0d%0aSet-Cookie:1",
        "/redirect?to=%", "/redirect?to=%4", "/redirect?to=%zz", "/redirect?to=a%20b",
        "/redirect?to=%ff"}) {
    const HttpReply reply = Get(target);
    EXPECT_EQ(reply.status, 400) << target;
    EXPECT_EQ(LocationOf(reply), "") << target;
  }
}

TEST(HttpRoutesTest, ChallengesUntilTheClientAnswers) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/digest";
  EXPECT_EQ(Route(request).status, 401);
  request.headers = {{"Authorization", "Digest username=\"user\", realm=\"test\""}};
  EXPECT_EQ(Route(request).body, kWelcomeBody);
  request.target = "/ntlm";
  EXPECT_EQ(Route(request).status, 401);
  request.headers = {{"Authorization", "NTLM TlRMTVNTUAABAAAA"}};  // negotiate
  EXPECT_EQ(Route(request).status, 401);
  request.headers = {{"Authorization", "NTLM TlRMTVNTUAADAAAA"}};  // authenticate
  EXPECT_EQ(Route(request).body, kWelcomeBody);
}

TEST(HttpRoutesTest, KnowsFourCodingsOnly) {
  for (const char* coding : {"gzip", "deflate", "br", "zstd"}) {
    EXPECT_EQ(Get(std::string("/encoded/") + coding).status, 200) << coding;
  }
  EXPECT_EQ(Get("/encoded/rot13").status, 404);
}

TEST(HttpRoutesTest, LimitsMethodsToThePath) {
  HttpRequest request;
  request.target = "/echo";
  request.body = "x";
  for (const char* method : {"POST", "PUT"}) {
    request.method = method;
    EXPECT_EQ(Route(request).body, "x");
  }
  for (const char* method : {"GET", "HEAD", "DELETE", "OPTIONS", "CONNECT", "get"}) {
    request.method = method;
    EXPECT_EQ(Route(request).status, 405) << method;
  }
}

TEST(HttpReplyTest, DerivesLengthAndConnection) {
  HttpReply reply = HttpReply::Text(200, "abc");
  reply.pattern_bytes = 7;
  EXPECT_EQ(SerializeHead(reply, true),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 10\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(SerializeHead(HttpReply::Text(204, ""), false),
            "HTTP/1.1 204 No Content\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Connection: close\r\n\r\n");
}

}  // namespace
}  // namespace sockgate::testing
