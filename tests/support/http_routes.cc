#include "tests/support/http_routes.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>

#include <algorithm>
#include <array>
#include <optional>

#include "tests/support/http_client_replies.h"

namespace sockgate::testing {
namespace {

constexpr uint64_t kMaxPatternBytes = uint64_t{1} << 40;
constexpr uint64_t kMaxDelayMs = 600000;

// `rest` is what follows the route's path: a number, a query, or nothing.
using Handler = HttpReply (*)(const HttpRequest& request, absl::string_view rest);

HttpReply BadRequest(absl::string_view why) {
  return HttpReply::Text(400, absl::StrCat(why, "\n"));
}

std::optional<uint64_t> ParseNumber(absl::string_view text, uint64_t low, uint64_t high) {
  text = text.substr(0, text.find('?'));
  uint64_t number = 0;
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  if (!digits || !absl::SimpleAtoi(text, &number) || number < low || number > high) {
    return std::nullopt;
  }
  return number;
}

HttpReply Hello(const HttpRequest& /*request*/, absl::string_view /*rest*/) {
  return HttpReply::Text(200, kHelloBody);
}

HttpReply Bytes(const HttpRequest& /*request*/, absl::string_view rest) {
  const auto size = ParseNumber(rest, 0, kMaxPatternBytes);
  if (!size) return BadRequest("/bytes/N takes a number up to 2^40");
  HttpReply reply;
  reply.headers.push_back({"Content-Type", "application/octet-stream"});
  reply.pattern_bytes = *size;
  return reply;
}

HttpReply Status(const HttpRequest& /*request*/, absl::string_view rest) {
  const auto code = ParseNumber(rest, 200, 599);
  if (!code) return BadRequest("/status/CODE takes a status from 200 to 599");
  const int status = static_cast<int>(*code);
  return HttpReply::Text(status, StatusHasBody(status) ? absl::StrCat(status, "\n") : "");
}

std::optional<std::string> PercentDecode(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    const absl::string_view hex = text.substr(i + 1, 2);
    const auto is_hex = [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); };
    if (hex.size() != 2 || !std::all_of(hex.begin(), hex.end(), is_hex)) return std::nullopt;
    decoded += absl::HexStringToBytes(hex);
    i += 2;
  }
  return decoded;
}

HttpReply Redirect(const HttpRequest& /*request*/, absl::string_view rest) {
  if (!absl::ConsumePrefix(&rest, "?to=")) return BadRequest("/redirect takes ?to=URL");
  const auto url = PercentDecode(rest);
  const auto graphic = [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); };
  // A decoded line break would let the request write headers of its own.
  if (!url || url->empty() || !std::all_of(url->begin(), url->end(), graphic)) {
    return BadRequest("?to= is not a URL");
  }
  HttpReply reply = HttpReply::Text(302, absl::StrCat("to ", *url, "\n"));
  reply.headers.push_back({"Location", *url});
  return reply;
}

HttpReply Slow(const HttpRequest& /*request*/, absl::string_view rest) {
  const auto delay = ParseNumber(rest, 0, kMaxDelayMs);
  if (!delay) return BadRequest("/slow/MS takes milliseconds, at most 600000");
  HttpReply reply = HttpReply::Text(200, absl::StrCat("after ", *delay, " ms\n"));
  reply.delay = std::chrono::milliseconds(*delay);
  return reply;
}

HttpReply Echo(const HttpRequest& request, absl::string_view /*rest*/) {
  HttpReply reply;
  for (const HttpHeader& header : request.headers) {
    if (absl::EqualsIgnoreCase(header.name, "Content-Type")) reply.headers.push_back(header);
  }
  reply.body = request.body;
  return reply;
}

HttpReply Headers(const HttpRequest& request, absl::string_view /*rest*/) {
  std::string lines;
  for (const HttpHeader& header : request.headers) {
    absl::StrAppend(&lines, header.name, ": ", header.value, "\n");
  }
  return HttpReply::Text(200, std::move(lines));
}

HttpReply Close(const HttpRequest& /*request*/, absl::string_view /*rest*/) {
  HttpReply reply;
  reply.hang_up = true;
  return reply;
}

HttpReply Encoded(const HttpRequest& /*request*/, absl::string_view rest) {
  return EncodedReply(rest);
}

HttpReply Cookie(const HttpRequest& request, absl::string_view /*rest*/) {
  return CookieReply(request);
}

HttpReply Digest(const HttpRequest& request, absl::string_view /*rest*/) {
  return DigestReply(request);
}

HttpReply Ntlm(const HttpRequest& request, absl::string_view /*rest*/) {
  return NtlmReply(request);
}

enum class Methods { kRead, kWrite, kAny };

struct RouteEntry {
  absl::string_view path;  // one that ends in '/' takes more behind it, but for "/" itself
  Methods methods;
  Handler handler;
};

constexpr std::array<RouteEntry, 13> kRoutes = {{
    {"/", Methods::kRead, Hello},
    {"/hello", Methods::kRead, Hello},
    {"/bytes/", Methods::kRead, Bytes},
    {"/status/", Methods::kAny, Status},
    {"/redirect", Methods::kAny, Redirect},
    {"/slow/", Methods::kAny, Slow},
    {"/echo", Methods::kWrite, Echo},
    {"/headers", Methods::kAny, Headers},
    {"/close", Methods::kAny, Close},
    {"/encoded/", Methods::kRead, Encoded},
    {"/cookie", Methods::kRead, Cookie},
    {"/digest", Methods::kAny, Digest},
    {"/ntlm", Methods::kAny, Ntlm},
}};

bool Matches(absl::string_view path, absl::string_view target) {
  if (!absl::StartsWith(target, path)) return false;
  const bool takes_more = path.size() > 1 && path.back() == '/';
  return takes_more || target.size() == path.size() || target[path.size()] == '?';
}

bool Allows(Methods methods, absl::string_view method) {
  const bool reads = method == "GET" || method == "HEAD";
  const bool writes = method == "POST" || method == "PUT";
  return (reads && methods != Methods::kWrite) || (writes && methods != Methods::kRead);
}

}  // namespace

HttpReply Route(const HttpRequest& request) {
  for (const RouteEntry& route : kRoutes) {
    if (!Matches(route.path, request.target)) continue;
    if (!Allows(route.methods, request.method)) return HttpReply::Text(405, "method not allowed\n");
    return route.handler(request, absl::string_view(request.target).substr(route.path.size()));
  }
  return HttpReply::Text(404, "no such path\n");
}

}  // namespace sockgate::testing
