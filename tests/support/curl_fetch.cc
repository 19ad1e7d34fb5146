#include "tests/support/curl_fetch.h"

namespace sockgate::testing {
namespace {

constexpr int kTimeoutSeconds = 20;

size_t AppendTo(char* bytes, size_t size, size_t count, void* text) {
  static_cast<std::string*>(text)->append(bytes, size * count);
  return size * count;
}

int InfoNumber(CURL* handle, CURLINFO what) {
  long number = 0;  // NOLINT(google-runtime-int): libcurl's type
  curl_easy_getinfo(handle, what, &number);
  return static_cast<int>(number);
}

}  // namespace

CurlHandle NewCurl(const std::string& url, const std::string& trust_pem) {
  CurlHandle handle(curl_easy_init());
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT, long{kTimeoutSeconds});
  if (trust_pem.empty()) return handle;
  std::string pem = trust_pem;
  curl_blob blob{pem.data(), pem.size(), CURL_BLOB_COPY};
  curl_easy_setopt(handle.get(), CURLOPT_CAINFO_BLOB, &blob);
  curl_easy_setopt(handle.get(), CURLOPT_CAPATH, nullptr);
  return handle;
}

Fetched Perform(CURL* handle) {
  Fetched result;
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, AppendTo);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &result.body);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, AppendTo);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &result.headers);
  const auto start = std::chrono::steady_clock::now();
  result.code = curl_easy_perform(handle);
  result.took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - start);
  result.status = InfoNumber(handle, CURLINFO_RESPONSE_CODE);
  result.connections = InfoNumber(handle, CURLINFO_NUM_CONNECTS);
  const char* redirect = nullptr;
  curl_easy_getinfo(handle, CURLINFO_REDIRECT_URL, &redirect);
  if (redirect != nullptr) result.redirect_url = redirect;
  return result;
}

Fetched Fetch(const std::string& url, const std::string& trust_pem) {
  return Perform(NewCurl(url, trust_pem).get());
}

}  // namespace sockgate::testing
