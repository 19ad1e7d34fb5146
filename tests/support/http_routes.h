// The paths of the loopback server: a pure function from request to reply.
//
//   /  /hello          "hello from sockgate's loopback server\n"
//   /bytes/N           N bytes of the pattern in byte_pattern.h; N up to 2^40
//   /status/CODE       that status, 200 to 599; the code as body where the status has one
//   /redirect?to=URL   302 to URL: all that follows `to=`, percent-decoded once
//   /slow/MS           answers after MS milliseconds, at most ten minutes; who hangs up is forgotten
//   /echo              the body of a POST or PUT, with its Content-Type
//   /headers           the request's headers, one a line, `Name: value`
//   /close             closes the connection without an answer
//   /encoded/CODING    "hello" as gzip, deflate, br or zstd
//   /cookie            the request's cookies; sets taste=salty
//   /digest  /ntlm     401 until the client answers in that scheme, then "welcome\n"
//
// Everything else is 404. A query after the other paths is ignored. GET and HEAD unless said
// otherwise; else 405.

#ifndef SOCKGATE_TESTS_SUPPORT_HTTP_ROUTES_H_
#define SOCKGATE_TESTS_SUPPORT_HTTP_ROUTES_H_

#include "tests/support/http_reply.h"
#include "tests/support/http_request.h"

namespace sockgate::testing {

inline constexpr char kHelloBody[] = "hello from sockgate's loopback server\n";
inline constexpr char kEncodedBody[] = "hello";
inline constexpr char kWelcomeBody[] = "welcome\n";

HttpReply Route(const HttpRequest& request);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_HTTP_ROUTES_H_
