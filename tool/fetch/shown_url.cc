#include "tool/fetch/shown_url.h"

#include <curl/curl.h>

#include <memory>

namespace sockgate {

std::string ShownUrl(const std::string& url) {
  if (url.find('@') == std::string::npos) return url;
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parts(curl_url(), curl_url_cleanup);
  CURLU* const handle = parts.get();
  char* shown = nullptr;
  if (curl_url_set(handle, CURLUPART_URL, url.c_str(), CURLU_GUESS_SCHEME) != CURLUE_OK ||
      curl_url_set(handle, CURLUPART_USER, nullptr, 0) != CURLUE_OK ||
      curl_url_set(handle, CURLUPART_PASSWORD, nullptr, 0) != CURLUE_OK ||
      curl_url_get(handle, CURLUPART_URL, &shown, 0) != CURLUE_OK) {
    return url;
  }
  const std::unique_ptr<char, decltype(&curl_free)> owner(shown, curl_free);
  return shown;
}

}  // namespace sockgate
