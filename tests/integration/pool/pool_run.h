// PoolRun: a WorkerPool with real workers, what came of each transfer, and what a worker can be made
// to do at a URL.
//
// Process: the test, single-threaded. Workers are confined as ever; what they are made to do happens
// in WorkerPool::Options::on_begin. A callback that is wrong (a piece after the result, two results)
// is a failure of the test.

#ifndef SOCKGATE_TESTS_INTEGRATION_POOL_POOL_RUN_H_
#define SOCKGATE_TESTS_INTEGRATION_POOL_POOL_RUN_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "broker/broker_process.h"
#include "client/launch/pool/worker_pool.h"
#include "client/pool/transfer.h"

namespace sockgate::testing {

// All that was heard of one transfer.
struct Fetched {
  ResponseHead head;
  std::string body;
  int heads = 0;
  int restarts = 0;
  int results = 0;
  TransferResult result;
};

// Options with channels of this broker's role "test", and counts in `channels` if it is not null.
launch::WorkerPool::Options PoolOptions(BrokerProcess& broker, size_t workers, size_t jobs,
                                        int* channels = nullptr);

class PoolRun {
 public:
  explicit PoolRun(launch::WorkerPool::Options options);

  // Adds it; a URL alone is fetched with GET.
  TransferId Add(Transfer transfer);
  TransferId Add(const std::string& url);

  // Until all are done.
  absl::Status Run() { return pool().Run(); }
  // Until this holds, for ten seconds at most; whether it does.
  bool RunUntil(const std::function<bool()>& holds);

  const Fetched& operator[](TransferId id) { return fetched_[id]; }
  launch::WorkerPool& pool() { return *pool_; }
  // Destroys it.
  void End() { pool_.reset(); }

  bool keep_bodies = true;
  // Called after what is noted.
  std::function<void(TransferId, absl::string_view)> on_body;
  std::function<void(const TransferResult&)> on_done;

 private:
  launch::WorkerPool::Callbacks Callbacks();

  std::map<TransferId, Fetched> fetched_;
  std::unique_ptr<launch::WorkerPool> pool_;
};

// The nursery of this process's one pool: its youngest child.
pid_t NurseryPid();

// What a worker does at a URL that has "?do=" and one of these words at its end:
//   trap     dies of SIGILL
//   call     makes a system call that its filter does not let through
//   exit     ends with code 7
//   hang     does not come back
//   shut     shuts its stream down, and does not come back
//   ...      says what it may not to its launcher: see the source
void Misbehave(CURL* easy, TransferId id);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_INTEGRATION_POOL_POOL_RUN_H_
