// FetchWorker: the confined side of `sockgate fetch`. Performs the transfers, one after the other.
//
// Process: the worker. Prepare() runs before the filter, Run() under it. Hostile input: all that
// servers send.

#ifndef SOCKGATE_TOOL_FETCH_WORKER_H_
#define SOCKGATE_TOOL_FETCH_WORKER_H_

#include <curl/curl.h>

#include <string>
#include <vector>

#include "client/broker_client.h"
#include "client/curl_adapter.h"
#include "proto/unique_fd.h"
#include "tool/allow_list.h"
#include "tool/fetch.h"

namespace sockgate {

struct FetchJob {
  std::string url;
  std::string resolve;  // its host's addresses as CURLOPT_RESOLVE wants them; empty: none needed
  UniqueFd output;      // invalid: standard output
};

class FetchWorker {
 public:
  // The options and the list are lent.
  FetchWorker(const FetchOptions& options, const AllowList& allow, std::vector<FetchJob> jobs);

  // What needs files: libcurl's and OpenSSL's initialisation, the time zone, the CA bundle. 0, or
  // an exit status.
  int Prepare();

  // All transfers over this channel. Returns an exit status.
  int Run(UniqueFd channel);

 private:
  int RunOne(CURL* easy, CurlAdapter& adapter, const FetchJob& job);
  void SetOptions(CURL* easy, const FetchJob& job, curl_slist* resolve);
  // The exit status of a transfer that ended with `code`, which is explained to the user.
  int Report(CURL* easy, const CurlAdapter& adapter, const FetchJob& job, CURLcode code) const;
  void Trace(const Endpoint& endpoint, const ConnectResult& result) const;

  const FetchOptions& options_;
  const AllowList& allow_;
  std::vector<FetchJob> jobs_;
  std::string ca_bundle_;
  // Found out before confinement: isatty(3) is an ioctl(2).
  const bool out_is_terminal_;
  const bool err_is_terminal_;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_WORKER_H_
