// FetchLoop: performs small fetches with libcurl, one after another or many at a time.
//
// Process: a child that does nothing else; under the fetcher profile where it has an adapter. Each
// fetch has a connection of its own: requests say `Connection: close`, so the server closes first
// and TIME_WAIT stays on its side, where it keeps no local port from being used. Ownership: owns
// its handles; the adapter is lent and must outlive it.

#ifndef SOCKGATE_TESTS_BENCH_FETCH_LOOP_H_
#define SOCKGATE_TESTS_BENCH_FETCH_LOOP_H_

#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/curl_adapter.h"

namespace sockgate::bench {

// What the parent asks of the child, and hears from it, each in one packet.
struct FetchOrder {
  uint32_t concurrency = 1;
  uint32_t count = 0;
  uint32_t url = 0;  // which
};
struct FetchAnswer {
  uint64_t elapsed_ns = 0;
  uint32_t failures = 0;
};

class FetchLoop {
 public:
  // Without an adapter libcurl opens its own sockets. Each URL must answer 200.
  FetchLoop(std::vector<std::string> urls, CurlAdapter* adapter);
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
  uint32_t OneByOne(uint32_t count);
  uint32_t AtATime(uint32_t concurrency, uint32_t count);
  uint32_t TakeFinished(uint32_t count, uint32_t* started, uint32_t* finished);
  bool Ready(const FetchOrder& order);
  EasyHandle NewHandle();

  const std::vector<std::string> urls_;
  CurlAdapter* const adapter_;
  curl_slist* headers_;
  CURLM* multi_;
  std::vector<EasyHandle> handles_;
};

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_FETCH_LOOP_H_
