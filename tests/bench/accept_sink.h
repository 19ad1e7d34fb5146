// AcceptSink: listeners on several loopback addresses, whose connections are taken and dropped.
//
// The kernel completes a handshake without accept(2), so somebody may accept at once or nobody
// until the measurement pauses; which of the two matters, since connect(2) also pays for waking
// whoever accepts. Ownership: owns the listeners, and the accepting process where there is one.

#ifndef SOCKGATE_TESTS_BENCH_ACCEPT_SINK_H_
#define SOCKGATE_TESTS_BENCH_ACCEPT_SINK_H_

#include <netinet/in.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/endpoint.h"
#include "proto/unique_fd.h"
#include "tests/bench/child_process.h"

namespace sockgate::bench {

enum class Acceptor {
  kProcess,  // a process of its own accepts each connection at once, as a server does
  kLater,    // connections wait in the listener's queue until Drain(); nothing else runs meanwhile
};

struct Target {
  sockaddr_in address;
  Endpoint endpoint;  // the same
};

class AcceptSink {
 public:
  // Listens on 127.0.0.2 and as many addresses after it as are asked for, each on a port of the
  // kernel's choice. Many addresses keep the supply of local ports for each of them large. May
  // fork: needs a process with one thread.
  static absl::StatusOr<AcceptSink> Listen(size_t addresses, Acceptor acceptor);

  const std::vector<Target>& targets() const { return targets_; }

  // Takes every connection that waits, unless the accepting process does.
  void Drain() const;

 private:
  std::vector<UniqueFd> listeners_;
  std::vector<Target> targets_;
  std::optional<ChildProcess> process_;
};

// Closes a connection with a RST (SO_LINGER 0), so that neither side keeps it in TIME_WAIT and its
// local port is free at once.
void CloseAtOnce(UniqueFd socket);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_ACCEPT_SINK_H_
