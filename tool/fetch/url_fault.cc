#include "tool/fetch/url_fault.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/pool/transfer_limits.h"
#include "tool/target.h"

namespace sockgate {
namespace {

// As libcurl reads it, whether it speaks it or not; empty where there is none.
std::string SchemeOf(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parts(curl_url(), curl_url_cleanup);
  char* scheme = nullptr;
  if (curl_url_set(parts.get(), CURLUPART_URL, url.c_str(),
                   CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
      curl_url_get(parts.get(), CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
    return "";
  }
  const std::unique_ptr<char, decltype(&curl_free)> owner(scheme, curl_free);
  return scheme;
}

bool IsSpoken(const std::string& scheme) {
  const std::vector<std::string> spoken = absl::StrSplit(kSchemes, ',');
  return std::find(spoken.begin(), spoken.end(), scheme) != spoken.end();
}

}  // namespace

UrlFault UrlFault::Of(const std::string& url) {
  if (url.size() > kMaxUrlBytes) {
    return {CURLE_URL_MALFORMAT, absl::StrCat("a URL has at most ", kMaxUrlBytes, " bytes")};
  }
  const std::string scheme = SchemeOf(url);
  if (!scheme.empty() && !IsSpoken(scheme)) {
    return {CURLE_UNSUPPORTED_PROTOCOL, absl::StrCat("Protocol \"", scheme, "\" not supported")};
  }
  const auto parts = UrlParts::Parse(url);
  if (parts.ok()) return {};
  const std::string quoted = absl::StrCat("'", url, "' ");
  return {CURLE_URL_MALFORMAT,
          absl::StrCat("it ", absl::StripPrefix(parts.status().message(), quoted))};
}

}  // namespace sockgate
