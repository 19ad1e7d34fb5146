// Easy: a libcurl handle on the broker's sockets, for features. One transfer after the other.
//
// Process: a confined worker. Ownership: the handle; the adapter must outlive it.

#ifndef SOCKGATE_TESTS_ESCAPE_FEATURES_EASY_H_
#define SOCKGATE_TESTS_ESCAPE_FEATURES_EASY_H_

#include <curl/curl.h>

#include <string>

#include "absl/strings/string_view.h"
#include "client/broker_client.h"
#include "client/curl_adapter.h"
#include "proto/check.h"

namespace sockgate::escape {

class Easy {
 public:
  Easy(CurlAdapter& adapter, const std::string& url);
  ~Easy();
  Easy(const Easy&) = delete;
  Easy& operator=(const Easy&) = delete;

  CURL* get() const { return easy_; }

  template <typename Value>
  void Set(CURLoption option, Value value) {
    SOCKGATE_CHECK(curl_easy_setopt(easy_, option, value) == CURLE_OK);
  }

  void SetUrl(const std::string& url) { Set(CURLOPT_URL, url.c_str()); }

  // A header of the requests, "Name: value".
  void AddHeader(const std::string& line);

  CURLcode Perform();

  // Performs. "ok" when the answer has this status and body, else what there was.
  std::string Want(long status, absl::string_view body);

  // The same for a transfer that libcurl is to end with this code.
  std::string WantCode(CURLcode code);

  long Info(CURLINFO info) const;
  const std::string& body() const { return body_; }

 private:
  std::string Told() const;

  CurlAdapter& adapter_;
  CURL* const easy_;
  curl_slist* headers_ = nullptr;
  CURLcode code_ = CURLE_OK;
  std::string body_;
};

// What the adapter of a feature is told: any mode, and no long waits.
CurlAdapterOptions InMode(ConnectMode mode);

}  // namespace sockgate::escape

#endif  // SOCKGATE_TESTS_ESCAPE_FEATURES_EASY_H_
