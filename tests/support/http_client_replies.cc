#include "tests/support/http_client_replies.h"

#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <utility>

#include "tests/support/http_routes.h"

namespace sockgate::testing {
namespace {

template <size_t kSize>
std::string Bytes(const char (&literal)[kSize]) {
  return std::string(literal, kSize - 1);
}

// "hello" as gzip (RFC 1952), zlib (RFC 1950), one stored block of zstd (RFC 8878), and brotli (RFC
// 7932).
std::string Encoded(absl::string_view coding) {
  if (coding == "gzip") {
    return Bytes(
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xcb\x48\xcd\xc9\xc9\x07\x00"
        "\x86\xa6\x10\x36\x05\x00\x00\x00");
  }
  if (coding == "deflate") return Bytes("\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15");
  if (coding == "zstd") return Bytes("\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello");
  if (coding == "br") return Bytes("\x0b\x02\x80hello\x03");
  return "";
}

HttpReply Challenge(std::string value) {
  HttpReply reply = HttpReply::Text(401, "");
  reply.headers.push_back({"WWW-Authenticate", std::move(value)});
  return reply;
}

// A challenge of MS-NLMP 2.2.1.2: no target, UNICODE | NTLM | TARGET_INFO, and one domain as target
// information, so that the client answers by NTLMv2.
std::string NtlmChallenge() {
  const std::string message = Bytes(
      "NTLMSSP\0\x02\0\0\0"
      "\0\0\0\0\x30\0\0\0"
      "\x01\x02\x80\0"
      "sockgate\0\0\0\0\0\0\0\0"
      "\x0a\0\x0a\0\x30\0\0\0"
      "\x02\0\x02\0A\0\0\0\0\0");
  return absl::StrCat("NTLM ", absl::Base64Escape(message));
}

}  // namespace

std::string HeaderOf(const HttpRequest& request, absl::string_view name) {
  for (const HttpHeader& header : request.headers) {
    if (absl::EqualsIgnoreCase(header.name, name)) return header.value;
  }
  return "";
}

HttpReply EncodedReply(absl::string_view coding) {
  std::string body = Encoded(coding);
  if (body.empty()) return HttpReply::Text(404, "no such coding\n");
  HttpReply reply = HttpReply::Text(200, std::move(body));
  reply.headers.push_back({"Content-Encoding", absl::StrCat(coding)});
  return reply;
}

HttpReply CookieReply(const HttpRequest& request) {
  HttpReply reply = HttpReply::Text(200, HeaderOf(request, "Cookie"));
  reply.headers.push_back({"Set-Cookie", "taste=salty; Path=/"});
  return reply;
}

HttpReply DigestReply(const HttpRequest& request) {
  if (absl::StartsWith(HeaderOf(request, "Authorization"), "Digest username=")) {
    return HttpReply::Text(200, kWelcomeBody);
  }
  return Challenge("Digest realm=\"test\", nonce=\"0123456789abcdef\", qop=\"auth\"");
}

// The kind of a client's message is its ninth byte: negotiate, or authenticate.
HttpReply NtlmReply(const HttpRequest& request) {
  constexpr size_t kKind = 8;
  const std::string value = HeaderOf(request, "Authorization");
  std::string message;
  if (!absl::StartsWith(value, "NTLM ") || !absl::Base64Unescape(value.substr(5), &message) ||
      message.size() <= kKind) {
    return Challenge("NTLM");
  }
  if (message[kKind] == 3) return HttpReply::Text(200, kWelcomeBody);
  return Challenge(NtlmChallenge());
}

}  // namespace sockgate::testing
