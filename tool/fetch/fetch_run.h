// FetchRun: performs a plan with a pool of confined workers: hands out its URLs, puts bodies where
// they go, tries again what may go well then, and says what became of each.
//
// Process: the launcher.
// Ownership: owns what is under way, with its files. Plan, options and policy are lent, and the pool
// for the time of Run(). Threads: one.
// Blocking: Run() until all has ended, or a signal came.
// Memory: of each URL its text; of as many as may be under way their state. A body is nowhere in
// memory as a whole.
// Hostile inputs: all that workers say; see worker_pool.h.
// Failure: each transfer's own, as its exit status; the last of those is Run()'s.

#ifndef SOCKGATE_TOOL_FETCH_FETCH_RUN_H_
#define SOCKGATE_TOOL_FETCH_FETCH_RUN_H_

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "client/launch/pool/worker_pool.h"
#include "tool/fetch/body_output.h"
#include "tool/fetch/fetch_bar.h"
#include "tool/fetch/fetch_options.h"
#include "tool/fetch/fetch_outcome.h"
#include "tool/fetch/fetch_plan.h"
#include "tool/fetch/fetch_policy.h"
#include "tool/fetch/retry_rule.h"

namespace sockgate {

class FetchRun {
 public:
  // `stop` is readable when all is to end; its reader knows which signal it was.
  FetchRun(const FetchOptions& options, const FetchPlan& plan, const FetchPolicy& policy, int stop);
  FetchRun(const FetchRun&) = delete;
  FetchRun& operator=(const FetchRun&) = delete;

  // For the pool that Run() is given.
  launch::WorkerPool::Callbacks Callbacks();

  // The exit status: 0, or that of the last transfer that failed; or 23, at once, when standard output
  // has lost its reader. Nothing: it was stopped, and no file is left that is not whole.
  std::optional<int> Run(launch::WorkerPool* pool);

  // A line of its own, on a terminal in the place of the bar. False: it could not be written.
  bool Say(int fd, const std::string& line);

 private:
  using Clock = std::chrono::steady_clock;

  // One URL, from its first attempt to the end of its last.
  struct Item {
    Item(size_t job, const BodyPlace* place, int stop) : index(job), output(place, stop) {}

    const size_t index;
    BodyOutput output;
    const Clock::time_point begun = Clock::now();
    unsigned retries = 0;
    uint64_t now = 0;      // bytes of this attempt's body
    uint64_t size = 0;     // of the whole body; 0: nobody knows
    absl::Status failure;  // of its output
  };

  void BeginSome();
  void Begin(std::unique_ptr<Item> item);
  void BeginRetries();
  std::chrono::milliseconds LongestWait() const;
  // False: it was stopped.
  bool AwaitSomething() const;
  bool IsStopped(std::chrono::milliseconds within) const;
  bool HasLostReader() const;
  std::optional<int> EndEarly(const absl::Status& status, int exit_status);
  std::optional<int> EndUnread();

  void OnHead(TransferId id, const ResponseHead& head);
  void OnBody(TransferId id, absl::string_view piece);
  void OnRestart(TransferId id);
  void OnDone(const TransferResult& result);

  void Void(Item* item);
  void Fail(TransferId id, Item* item, const absl::Status& failure);
  std::optional<std::chrono::milliseconds> PauseBeforeRetry(const Item& item,
                                                            const TransferResult& result) const;
  void Finish(std::unique_ptr<Item> item, const TransferResult& result);
  void Report(const FetchOutcome& outcome, int status);
  const FetchTotals& Count();

  const FetchOptions& options_;
  const FetchPlan& plan_;
  const FetchPolicy& policy_;
  const int stop_;
  const size_t most_files_;
  const int output_;  // standard output, where bodies or results go there; else -1
  const RetryRule retry_;
  FetchBar bar_;
  launch::WorkerPool* pool_ = nullptr;

  size_t next_ = 0;  // of the plan's jobs
  absl::flat_hash_map<TransferId, std::unique_ptr<Item>> under_way_;
  std::multimap<Clock::time_point, std::unique_ptr<Item>> resting_;  // until their next attempt
  FetchTotals totals_;
  bool was_unread_ = false;     // something was written that has no reader
  bool was_cancelled_ = false;  // a body could not be written before `stop` was readable
  int status_ = 0;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_FETCH_RUN_H_
