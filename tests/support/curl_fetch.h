// One plain libcurl transfer, told in full: what the tests of the loopback server look at.
//
// Process and threads: any; each call has its own handle unless told otherwise. Blocks, at most 20
// s.

#ifndef SOCKGATE_TESTS_SUPPORT_CURL_FETCH_H_
#define SOCKGATE_TESTS_SUPPORT_CURL_FETCH_H_

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <string>

namespace sockgate::testing {

struct CurlFree {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using CurlHandle = std::unique_ptr<CURL, CurlFree>;

struct Fetched {
  CURLcode code = CURLE_FAILED_INIT;
  int status = 0;
  int connections = 0;  // new ones made by this transfer
  std::string body;
  std::string headers;
  std::string redirect_url;
  std::chrono::milliseconds took{0};
};

// A handle with a timeout, without proxies and signals. `trust_pem`, when not empty, is all it
// trusts.
CurlHandle NewCurl(const std::string& url, const std::string& trust_pem = "");

// Performs what `handle` is set up for, body and headers going into the result.
Fetched Perform(CURL* handle);

// A GET with a handle of its own.
Fetched Fetch(const std::string& url, const std::string& trust_pem = "");

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_CURL_FETCH_H_
