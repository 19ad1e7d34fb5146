// FetchWorker: the confined side of `sockgate fetch`. Performs the transfers, one after the other.
//
// Process: the worker. Prepare() runs before the filter, Run() under it.
// Hostile input: all that servers send.

#ifndef SOCKGATE_TOOL_FETCH_WORKER_H_
#define SOCKGATE_TOOL_FETCH_WORKER_H_

#include <curl/curl.h>

#include <memory>
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
  UniqueFd output;  // invalid: standard output
};

struct FetchPlan {
  std::vector<FetchJob> jobs;
  std::vector<std::string> resolve;  // entries for CURLOPT_RESOLVE, of all hosts, for all jobs
};

class FetchWorker {
 public:
  // The options and the list are lent.
  FetchWorker(const FetchOptions& options, const AllowList& allow, FetchPlan plan);

  // What needs files: libcurl's and OpenSSL's initialisation, the time zone, the CA bundle. 0, or
  // an exit status.
  int Prepare();

  // All transfers over this channel. Returns an exit status.
  int Run(UniqueFd channel);

 private:
  int RunOne(CURL* easy, CurlAdapter& adapter, const FetchJob& job);
  void SetOptions(CURL* easy, const FetchJob& job) const;
  // The exit status of a transfer that ended with `code`, which is explained to the user.
  int Report(CURL* easy, const CurlAdapter& adapter, const FetchJob& job, CURLcode code) const;
  void Trace(const Endpoint& endpoint, const ConnectResult& result) const;

  const FetchOptions& options_;
  const AllowList& allow_;
  const FetchPlan plan_;
  std::string ca_bundle_;
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> resolve_;
  // Found out before confinement: isatty(3) is an ioctl(2).
  const bool out_is_terminal_;
  const bool err_is_terminal_;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_WORKER_H_
