// Transfers through the adapter, for pieces of tests that run in a confined worker.

#ifndef SOCKGATE_TESTS_INTEGRATION_TRANSFER_H_
#define SOCKGATE_TESTS_INTEGRATION_TRANSFER_H_

#include <curl/curl.h>

#include <cstdint>
#include <string>
#include <vector>

#include "client/curl_adapter.h"

namespace sockgate::testing {

struct TransferOptions {
  std::string trust_pem;
  std::vector<std::string> resolve;  // CURLOPT_RESOLVE
  long connect_timeout_ms = 20000;
  bool follow = false;
  std::string interface;  // CURLOPT_INTERFACE, set after Attach()
  std::string unix_path;  // CURLOPT_UNIX_SOCKET_PATH
  bool prepare = false;   // CurlAdapter::Prepare()
};

struct Ended {
  CURLcode code = CURLE_FAILED_INIT;
  long os_errno = 0;
  long status = 0;
  int64_t ms = 0;
  std::string body;
  ConnectError error;
  std::string explanation;

  // "code 7 errno 111", or "code 0 status 200 body hello\n".
  std::string ToString() const;
};

Ended Perform(CurlAdapter& adapter, const std::string& url, const TransferOptions& options = {});

// All at once in one multi handle. The results are in the order of the URLs; `ms` counts from the
// common start.
std::vector<Ended> PerformTogether(CurlAdapter& adapter, const std::vector<std::string>& urls,
                                   const TransferOptions& options = {});

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_INTEGRATION_TRANSFER_H_
