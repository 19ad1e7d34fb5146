// LoadCrowd: the workers that a healthy one shares its broker with, each a process of its own.
//
// Ownership: the object ends them. Bounds: they end with it, and a flood stands still but between
// Resume() and Pause(). Privilege: none. Threads: Start() forks, and needs a process with one
// thread.

#ifndef SOCKGATE_TESTS_BENCH_LOAD_LOAD_CROWD_H_
#define SOCKGATE_TESTS_BENCH_LOAD_LOAD_CROWD_H_

#include <signal.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/accept_sink.h"
#include "tests/bench/child_process.h"

namespace sockgate::bench {

enum class Deed {
  kPending,     // every channel waits for ten handshakes with a black hole
  kIdle,        // every channel is open, and that is all
  kDenied,      // as many requests as it can send, all of them denied
  kConnecting,  // as many as it can send, all of them let through
  kGarbage,     // breaks the protocol and comes again by the path, as fast as it can
};

struct CrowdPlan {
  Deed deed = Deed::kIdle;
  size_t workers = 1;
  size_t channels = 1;          // of each worker
  std::string path;             // of the broker
  std::vector<Target> targets;  // of kConnecting
};

class LoadCrowd {
 public:
  // When it returns, everybody is there; a flood stands still.
  static absl::StatusOr<LoadCrowd> Start(const CrowdPlan& plan);

  void Pause() const { SignalAll(SIGSTOP); }
  void Resume() const { SignalAll(SIGCONT); }

  // Requests of all workers that were answered, or channels that were ended.
  uint64_t done() const { return counter_->load(); }

  static constexpr size_t kPendingOfChannel = 10;

 private:
  // Shared with the workers.
  struct Unmap {
    void operator()(std::atomic<uint64_t>* counter) const;
  };
  using Counter = std::unique_ptr<std::atomic<uint64_t>, Unmap>;

  LoadCrowd(Counter counter, std::vector<ChildProcess> workers)
      : counter_(std::move(counter)), workers_(std::move(workers)) {}

  static absl::StatusOr<Counter> MapCounter();
  void SignalAll(int signal) const;

  Counter counter_;
  std::vector<ChildProcess> workers_;
};

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_LOAD_LOAD_CROWD_H_
