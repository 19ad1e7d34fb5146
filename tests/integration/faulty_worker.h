// FaultyWorker: a worker under the fetcher profile with what a test of faults needs beside ConfinedRun:
// options of its own, and something done before the filter.
//
// Process: the test, single-threaded. The piece runs in the worker, which it gets the bare channel
// of, and says what it saw as text. Errors end the test program.

#ifndef SOCKGATE_TESTS_INTEGRATION_FAULTY_WORKER_H_
#define SOCKGATE_TESTS_INTEGRATION_FAULTY_WORKER_H_

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "broker/broker_process.h"
#include "client/launch/worker.h"
#include "tests/integration/pipe_text.h"

namespace sockgate::testing {

class FaultyWorker {
 public:
  using Piece = std::function<std::string(int channel)>;

  // `prepare` runs before the filter.
  FaultyWorker(BrokerProcess& broker, launch::WorkerOptions options,
               const std::function<void()>& prepare, const Piece& piece);

  launch::Worker& worker() { return *worker_; }

  // Waits for the worker. What the piece returned, and the signal that ended it, if one did.
  std::string Text();

 private:
  Pipe text_;
  absl::StatusOr<launch::Worker> worker_ = absl::UnavailableError("not started");
};

// The process's open descriptors once their number has not changed for a fifth of a second.
size_t FdsAtRest(pid_t pid);

// Waits, for at most five seconds, until the process has as many descriptors open as `expected`.
size_t SettledFds(pid_t pid, size_t expected);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_INTEGRATION_FAULTY_WORKER_H_
