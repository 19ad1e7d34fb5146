// FetchLoop: performs small fetches with libcurl, one after another or many at a time.
//
// Process: a child that does nothing else; under the fetcher profile where it has an adapter. Each
// fetch has a connection of its own: requests say `Connection: close`, so the server closes first
// and TIME_WAIT stays on its side, where it keeps no local port from being used. Ownership: owns
// its handles; the adapter is lent and must outlive it.
//
// Where names are fetched from, every lookup is asked for anew: libcurl's own cache of names is off
// (CURLOPT_DNS_CACHE_TIMEOUT 0), and where it must not be, because ResolveAhead() works through it,
// it begins empty with each order.
//
// It also holds connections open on which nothing is said, for the memory that they cost whoever
// helps.

#ifndef SOCKGATE_TESTS_BENCH_FETCH_LOOP_H_
#define SOCKGATE_TESTS_BENCH_FETCH_LOOP_H_

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/curl_adapter.h"
#include "client/launch/trust_store.h"

namespace sockgate::bench {

// Which hosts an order's URLs have.
enum class FetchHosts : uint32_t {
  kAddress,   // the address
  kNewNames,  // each a name that nobody has asked for
  kOneName,   // all the same name
};

enum class FetchDeed : uint32_t {
  kFetch,
  kHold,     // opens `count` connections more, one after another, and keeps them
  kRelease,  // closes those
};

// What the parent asks of the child, and hears from it, each in one packet.
struct FetchOrder {
  uint32_t concurrency = 1;
  uint32_t count = 0;
  uint32_t url = 0;  // which
  FetchHosts hosts = FetchHosts::kAddress;
  FetchDeed deed = FetchDeed::kFetch;
  uint32_t limit_ms = 0;  // begins nothing when so much time has passed; 0: no limit
};
struct FetchAnswer {
  uint64_t elapsed_ns = 0;
  uint32_t begun = 0;
  uint32_t failures = 0;
};

// How many fetches of an order may still begin.
class FetchQuota {
 public:
  explicit FetchQuota(const FetchOrder& order);

  // False: the count is reached or the time is over.
  bool Take();
  uint32_t taken() const { return taken_; }

 private:
  const uint32_t count_;
  const std::chrono::steady_clock::time_point end_;
  uint32_t taken_ = 0;
};

struct FetchBy {
  CurlAdapter* adapter = nullptr;  // null: libcurl opens its own sockets
  bool ahead = false;              // ResolveAhead() before each fetch from a name
  // Prepare() for each fetch that is added among others; one at a time, the next one's socket is asked
  // for before this one's fetch begins, as by who knows what comes next.
  bool prepared = false;
  std::string ca_file = {};  // what libcurl reads for itself; empty: what it was built with
  const launch::TrustStore* trust = nullptr;  // what is used instead, if any
  bool no_ca_folder = false;                  // CURLOPT_CAPATH is none
  std::string proxy = {};                     // CURLOPT_PROXY; empty: none
};

class FetchLoop {
 public:
  // Each URL must answer 200.
  FetchLoop(std::vector<std::string> urls, const FetchBy& by);
  ~FetchLoop();
  FetchLoop(const FetchLoop&) = delete;
  FetchLoop& operator=(const FetchLoop&) = delete;

  // Performs the orders that come on `control`, until it closes.
  void Serve(int control);

 private:
  struct EasyDeleter {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  using EasyHandle = std::unique_ptr<CURL, EasyDeleter>;

  FetchAnswer Perform(const FetchOrder& order);
  uint32_t OneByOne(const FetchOrder& order, FetchQuota* quota);
  uint32_t AtATime(const FetchOrder& order, FetchQuota* quota);
  uint32_t TakeFinished(const FetchOrder& order, FetchQuota* quota, uint32_t* finished);
  uint32_t Hold(const FetchOrder& order, FetchQuota* quota);
  bool Aim(CURL* easy, const FetchOrder& order);
  bool Start(CURL* easy, const FetchOrder& order);
  bool Ready(const FetchOrder& order);
  EasyHandle NewHandle();
  void Detach(const std::vector<EasyHandle>& handles) const;
  void DropHandles();
  void PrepareNext(const std::string& url) const;

  const std::vector<std::string> urls_;
  const FetchBy by_;
  curl_slist* headers_;
  CURLM* multi_;
  uint32_t last_name_ = 0;
  std::vector<EasyHandle> handles_;
  std::vector<EasyHandle> held_;
};

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_FETCH_LOOP_H_
