// Replies that a client needs a feature of its own for: encoded bodies, cookies, challenges.
//
// Process and threads: any; pure functions.

#ifndef SOCKGATE_TESTS_SUPPORT_HTTP_CLIENT_REPLIES_H_
#define SOCKGATE_TESTS_SUPPORT_HTTP_CLIENT_REPLIES_H_

#include <absl/strings/string_view.h>

#include <string>

#include "tests/support/http_reply.h"
#include "tests/support/http_request.h"

namespace sockgate::testing {

// kEncodedBody in this content coding; 404 for one that is not gzip, deflate, br or zstd.
HttpReply EncodedReply(absl::string_view coding);

// The request's cookies as the body, and a new one: "taste=salty".
HttpReply CookieReply(const HttpRequest& request);

// 401 until the client has answered in this scheme, whatever its answer is; then kWelcomeBody.
HttpReply DigestReply(const HttpRequest& request);
HttpReply NtlmReply(const HttpRequest& request);

// The value of the first header of that name, without regard to case; empty without one.
std::string HeaderOf(const HttpRequest& request, absl::string_view name);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_HTTP_CLIENT_REPLIES_H_
