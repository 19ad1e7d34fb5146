#include "tool/proxy_url.h"

#include <curl/curl.h>

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

absl::Status Bad(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("--proxy '", text, "' ", why));
}

std::string Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

absl::Status CheckScheme(absl::string_view scheme, absl::string_view text) {
  if (scheme == "socks4" || scheme == "socks5") {
    return Bad(text, absl::StrCat("would look up here what the proxy is to look up: write ",
                                  scheme == "socks4" ? "socks4a" : "socks5h", "://"));
  }
  if (scheme == "http" || scheme == "https" || scheme == "socks4a" || scheme == "socks5h") {
    return absl::OkStatus();
  }
  return Bad(text, "is no proxy: write http://, https://, socks4a:// or socks5h://HOST:PORT");
}

}  // namespace

absl::StatusOr<std::string> ReadProxyUrl(const std::string& text) {
  const std::string url = absl::StrContains(text, "://") ? text : absl::StrCat("http://", text);
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) !=
      CURLUE_OK) {
    return Bad(text, "is not a URL");
  }
  const std::string scheme = Part(parsed.get(), CURLUPART_SCHEME);
  if (absl::Status status = CheckScheme(scheme, text); !status.ok()) return status;
  if (Part(parsed.get(), CURLUPART_PORT).empty()) {
    curl_url_set(parsed.get(), CURLUPART_PORT, scheme == "https" ? "443" : "1080", 0);
  }
  const std::string whole = Part(parsed.get(), CURLUPART_URL);
  const bool has_host = !Part(parsed.get(), CURLUPART_HOST).empty();
  if (whole.empty() || !has_host || Part(parsed.get(), CURLUPART_PORT) == "0") {
    return Bad(text, "has no host or port");
  }
  return whole;
}

}  // namespace sockgate
