#include "tool/target.h"

#include <curl/curl.h>

#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "broker/policy/idna.h"
#include "proto/endpoint.h"

namespace sockgate {
namespace {

constexpr absl::string_view kForms =
    "write a URL, HOST:PORT, ADDRESS:PORT (IPv6 in brackets) or unix:/PATH";

absl::Status Bad(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("'", text, "' ", why));
}

std::string UrlPart(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

absl::StatusOr<Target> AtPort(absl::string_view host, uint16_t port) {
  const auto parsed = ParseInternationalHost(host);
  if (!parsed.ok()) return Bad(host, parsed.status().message());
  if (const auto* address = std::get_if<IpAddress>(&*parsed)) return Target{*address, port};
  return Target{std::get<HostName>(*parsed), port};
}

absl::StatusOr<uint16_t> ParsePort(absl::string_view text) {
  uint32_t port = 0;
  const bool digits = text.find_first_not_of("0123456789") == absl::string_view::npos;
  if (!digits || !absl::SimpleAtoi(text, &port) || port == 0 || port > UINT16_MAX) {
    return Bad(text, "is no port: 1 to 65535");
  }
  return static_cast<uint16_t>(port);
}

}  // namespace

absl::StatusOr<UrlParts> UrlParts::Parse(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  const CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_GUESS_SCHEME);
  if (code == CURLUE_BAD_PORT_NUMBER) return Bad(url, "has a port that is none: 1 to 65535");
  if (code == CURLUE_UNSUPPORTED_SCHEME) {
    return Bad(url, "has a scheme that this libcurl does not speak: write HOST:PORT");
  }
  if (code != CURLUE_OK) return Bad(url, "is not a URL");
  UrlParts parts;
  parts.host = UrlPart(parsed.get(), CURLUPART_HOST);
  uint32_t port = 0;
  const bool has_port = absl::SimpleAtoi(UrlPart(parsed.get(), CURLUPART_PORT), &port);
  if (parts.host.empty() || !has_port || port == 0) return Bad(url, "has no host or port");
  if (!UrlPart(parsed.get(), CURLUPART_ZONEID).empty()) return Bad(url, "has a zone id");
  parts.port = static_cast<uint16_t>(port);
  return parts;
}

absl::StatusOr<Target> Target::Parse(const std::string& text) {
  if (absl::StrContains(text, "://")) {
    const auto parts = UrlParts::Parse(text);
    return parts.ok() ? AtPort(parts->host, parts->port) : parts.status();
  }
  if (absl::StartsWith(text, "unix:")) {
    auto path = UnixPath::Parse(absl::string_view(text).substr(5));
    if (!path.ok()) return path.status();
    return Target{*std::move(path), 0};
  }
  const size_t colon = text.rfind(':');
  const absl::string_view host = absl::string_view(text).substr(0, colon);
  const bool unbracketed = absl::StrContains(host, ":") && host.back() != ']';
  if (colon == std::string::npos || unbracketed) {
    return Bad(text, absl::StrCat("has no port: ", kForms));
  }
  const auto port = ParsePort(absl::string_view(text).substr(colon + 1));
  return port.ok() ? AtPort(host, *port) : port.status();
}

std::string Target::ToString() const {
  if (const auto* path = std::get_if<UnixPath>(&place)) return absl::StrCat("unix:", path->path);
  if (const auto* address = std::get_if<IpAddress>(&place)) {
    return Endpoint::Ip(*address, port).ToString();
  }
  return absl::StrCat(std::get<HostName>(place).text(), ":", port);
}

}  // namespace sockgate
