// NetnsBridge: a network namespace with nothing in it but bridges to one server: bubblewrap with
// --unshare-net, a socat inside that listens at the server's ports, UNIX sockets through the wall,
// and a socat outside that connects to the server.
//
// So it leads to one place; to lead to several it takes a proxy behind it. Ownership: the object
// ends all of them.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_NETNS_BRIDGE_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_NETNS_BRIDGE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/compare/helper_program.h"
#include "tests/bench/compare/target_server.h"

namespace sockgate::bench {

class NetnsBridge {
 public:
  static absl::StatusOr<NetnsBridge> Start(const std::string& folder, const TargetServer& server);

  // The namespace: a path beneath /proc.
  const std::string& network() const { return network_; }

  std::vector<std::unique_ptr<HelperProgram>> TakePrograms() { return std::move(programs_); }

 private:
  NetnsBridge() = default;

  absl::Status StartOutside(const std::string& folder, uint16_t port);
  absl::Status StartInside(const std::string& folder, const TargetServer& server);

  std::string network_;
  std::vector<std::unique_ptr<HelperProgram>> programs_;
};

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_NETNS_BRIDGE_H_
