// The proxies among Debian's packages that a confined process is given in practice, each as it is
// configured for this: open to loopback, no cache, a log of requests where that costs little, and
// limits that the measurement does not reach. Connections are used for one request, on both sides.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_PROXY_PROGRAMS_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_PROXY_PROGRAMS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tests/bench/compare/helper_program.h"

namespace sockgate::bench {

enum class ProxyKind { kMicrosocks, kDante, kTinyproxy, kSquid };

struct ProxyPlace {
  std::string folder;  // anybody may write there
  bool root = false;   // users other than the caller's can be had
};

struct ProxyProgram {
  std::unique_ptr<HelperProgram> program;
  std::string url;  // for CURLOPT_PROXY
};

absl::StatusOr<ProxyProgram> StartProxy(ProxyKind kind, const ProxyPlace& place);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_PROXY_PROGRAMS_H_
