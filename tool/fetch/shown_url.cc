#include "tool/fetch/shown_url.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

namespace sockgate {

namespace {

// Of what libcurl cannot read: all that may be a user and a password.
std::string WithoutUser(const std::string& url) {
  const size_t scheme = url.find("://");
  const size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  return url.substr(0, begin) + url.substr(std::max(begin, url.rfind('@') + 1));
}

}  // namespace

std::string ShownUrl(const std::string& url) {
  if (url.find('@') == std::string::npos) return url;
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parts(curl_url(), curl_url_cleanup);
  CURLU* const handle = parts.get();
  char* shown = nullptr;
  if (curl_url_set(handle, CURLUPART_URL, url.c_str(), CURLU_GUESS_SCHEME) != CURLUE_OK ||
      curl_url_set(handle, CURLUPART_USER, nullptr, 0) != CURLUE_OK ||
      curl_url_set(handle, CURLUPART_PASSWORD, nullptr, 0) != CURLUE_OK ||
      curl_url_get(handle, CURLUPART_URL, &shown, 0) != CURLUE_OK) {
    return WithoutUser(url);
  }
  const std::unique_ptr<char, decltype(&curl_free)> owner(shown, curl_free);
  return shown;
}

}  // namespace sockgate
