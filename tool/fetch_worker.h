// FetchWorker: the confined side of `sockgate fetch`. Performs the transfers, one after the other.
//
// Process: the worker. Prepare() runs before the filter, Run() under it.
// Hostile input: all that servers send.

#ifndef SOCKGATE_TOOL_FETCH_WORKER_H_
#define SOCKGATE_TOOL_FETCH_WORKER_H_

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/broker_client.h"
#include "client/curl_adapter.h"
#include "client/launch/trust_store.h"
#include "client/url_host.h"
#include "proto/endpoint.h"
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
  std::string proxy_url;  // for all jobs; empty: none
  // Null: no transfer comes to need it, or the system has none.
  std::unique_ptr<const launch::TrustStore> trust;
};

class FetchWorker {
 public:
  // The options and the list are lent.
  FetchWorker(const FetchOptions& options, const AllowList& allow, FetchPlan plan);

  std::vector<int> OutputDescriptors() const;

  // What must be done before confinement: meets the broker over this channel, arms the name shim,
  // initialises libcurl and OpenSSL, reads the time zone. 0, or an exit status.
  int Prepare(UniqueFd channel);

  // All transfers. Returns an exit status.
  int Run();

 private:
  using Clock = std::chrono::steady_clock;

  // Asks the broker for what the job after this one will need first.
  void PrepareNext(CurlAdapter& adapter, size_t present) const;
  int RunOne(CURL* easy, CurlAdapter& adapter, const FetchJob& job);
  void SetOptions(CURL* easy, const FetchJob& job, Clock::time_point begun) const;
  absl::Status SetTrust(CURL* easy) const;
  // The host that libcurl connects to for a URL: its own, or the proxy's.
  std::string FirstHop(const std::string& url) const;
  // Each explains a transfer that failed to the user and returns its exit status: no address for
  // the first hop, or what libcurl says.
  int ReportLookup(const FetchJob& job, const ConnectError& error, Clock::time_point begun) const;
  int Report(CURL* easy, const CurlAdapter& adapter, const FetchJob& job, CURLcode code) const;
  void OnConnect(CURL* easy, const Endpoint& endpoint, const ConnectResult& result);
  void Trace(const std::optional<UrlHost>& host, const Endpoint& endpoint,
             const ConnectResult& result) const;

  const FetchOptions& options_;
  const AllowList& allow_;
  const FetchPlan plan_;
  std::unique_ptr<BrokerClient> client_;
  Endpoint last_endpoint_;  // of the transfer's last attempt to connect
  // Found out before confinement: isatty(3) is an ioctl(2).
  const bool out_is_terminal_;
  const bool err_is_terminal_;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_WORKER_H_
