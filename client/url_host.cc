#include "client/url_host.h"

#include <curl/curl.h>

#include <cstdint>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/address_literal.h"
#include "client/address_order.h"

namespace sockgate {
namespace {

#ifdef CURLU_PUNYCODE
constexpr unsigned kHostFlags = CURLU_URLDECODE | CURLU_PUNYCODE;
#else
constexpr unsigned kHostFlags = CURLU_URLDECODE;
#endif

std::string Part(CURLU* parsed, CURLUPart what, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(parsed, what, &text, flags) != CURLUE_OK) return "";
  std::string part(text);
  curl_free(text);
  return part;
}

bool IsLiteral(const std::string& host) {
  HostAddress unused;
  return host[0] == '[' || ParseLiteral(host.c_str(), &unused) != LiteralKind::kName;
}

std::string WithoutBrackets(absl::string_view host) {
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  return std::string{host};
}

}  // namespace

std::optional<UrlHost> HostOfUrl(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (parsed == nullptr) return std::nullopt;
  const unsigned flags = CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME;
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), flags) != CURLUE_OK) {
    return std::nullopt;
  }
  UrlHost host;
  host.name = Part(parsed.get(), CURLUPART_HOST, kHostFlags);
  host.port = Part(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (host.name.empty()) return std::nullopt;
  host.is_literal = IsLiteral(host.name);
  return host;
}

std::optional<Endpoint> EndpointOf(const UrlHost& host) {
  uint32_t port;
  if (!absl::SimpleAtoi(host.port, &port) || port > UINT16_MAX) return std::nullopt;
  HostAddress address;
  if (host.is_literal &&
      ParseLiteral(WithoutBrackets(host.name).c_str(), &address) != LiteralKind::kLiteral) {
    return std::nullopt;
  }
  return Endpoint::Ip(address.ip, static_cast<uint16_t>(port), address.scope_id);
}

std::string ResolveEntry(const UrlHost& host, const std::vector<IpAddress>& addresses) {
  std::vector<HostAddress> ordered;
  for (const IpAddress& ip : addresses) ordered.push_back({ip, 0, false});
  OrderAddresses(&ordered);
  std::string entry = absl::StrCat("+", host.name, ":", host.port, ":");
  for (size_t i = 0; i < ordered.size(); ++i) {
    const IpAddress& ip = ordered[i].ip;
    absl::StrAppend(&entry, i == 0 ? "" : ",", ip.is_v4() ? "" : "[", ip.ToString(),
                    ip.is_v4() ? "" : "]");
  }
  return entry;
}

}  // namespace sockgate
