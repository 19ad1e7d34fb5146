// NameServer: the least that a name server can do, so that it is not what is measured.
//
// UDP on port 53 of 127.0.0.1. Every name has one A record with a TTL of five minutes, and no other
// record. The address is the name's first character: 127.0.0.2 for what begins with a 2.
// Process: a child of its own, in the network of name_network.h.

#ifndef SOCKGATE_TESTS_BENCH_NAME_SERVER_H_
#define SOCKGATE_TESTS_BENCH_NAME_SERVER_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/bench/child_process.h"

namespace sockgate::bench {

// The domain of all names that are asked for.
inline constexpr char kZone[] = "bench.test";

// "http://127.0.0.2:8080/hello" with a name for the address: "http://2LABEL.bench.test:8080/hello".
std::string WithName(absl::string_view url, absl::string_view label);

class NameServer {
 public:
  static absl::StatusOr<NameServer> Start();

 private:
  explicit NameServer(ChildProcess process) : process_(std::move(process)) {}

  ChildProcess process_;
};

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_NAME_SERVER_H_
