// AcceptSink: listeners on several loopback addresses, whose connections are taken and dropped.
//
// Process: the measuring one, which has no thread for it: the kernel completes a handshake without
// accept(2), so connections wait in the listener's queue until Drain(), between two measurements,
// and no accepting process competes with what is measured. Ownership: owns the listeners.

#ifndef SOCKGATE_TESTS_BENCH_ACCEPT_SINK_H_
#define SOCKGATE_TESTS_BENCH_ACCEPT_SINK_H_

#include <netinet/in.h>

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/endpoint.h"
#include "proto/unique_fd.h"

namespace sockgate::bench {

struct Target {
  sockaddr_in address;
  Endpoint endpoint;  // the same
};

class AcceptSink {
 public:
  // Listens on 127.0.0.2 and as many addresses after it as are asked for, each on a port of the
  // kernel's choice. Many addresses keep the supply of local ports for each of them large.
  static absl::StatusOr<AcceptSink> Listen(size_t addresses);

  const std::vector<Target>& targets() const { return targets_; }

  // Takes every connection that waits.
  void Drain() const;

 private:
  std::vector<UniqueFd> listeners_;
  std::vector<Target> targets_;
};

// Closes a connection with a RST (SO_LINGER 0), so that neither side keeps it in TIME_WAIT and its
// local port is free at once.
void CloseAtOnce(UniqueFd socket);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_ACCEPT_SINK_H_
