#include "tool/fetch/fetch_run.h"

#include <curl/curl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tool/exit_status.h"
#include "tool/fetch/content_length.h"
#include "tool/fetch/interruptible_write.h"
#include "tool/fetch/shown_url.h"
#include "tool/fetch/terminal_text.h"

namespace sockgate {
namespace {

using std::chrono::milliseconds;

RetryRule::Options RetriesOf(const FetchOptions& options) {
  const auto in_milliseconds = [](double seconds) {
    return milliseconds(std::llround(std::ceil(seconds * 1000)));
  };
  return {options.retries, in_milliseconds(options.retry_delay_s),
          in_milliseconds(options.retry_max_time_s)};
}

// Each that has begun, or rests until it begins again, has a file open. The others are for broker,
// workers and what libraries open.
size_t MostFiles(unsigned workers) {
  constexpr rlim_t kReserve = 32;
  const rlim_t others = kReserve + rlim_t{4} * workers;
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= others) return 1;
  return limit.rlim_cur - others;
}

}  // namespace

FetchRun::FetchRun(const FetchOptions& options, const FetchPlan& plan, const FetchPolicy& policy,
                   int stop)
    : options_(options),
      plan_(plan),
      policy_(policy),
      stop_(stop),
      most_files_(MostFiles(options.workers)),
      output_(plan.WritesToStandardOutput() ? STDOUT_FILENO : -1),
      retry_(RetriesOf(options)),
      // What is drawn must not mix with a body.
      bar_(STDERR_FILENO, !options.silent && isatty(STDERR_FILENO) == 1 && !plan.ShowsBodies()) {
  totals_.files = plan.jobs.size();
  if (totals_.files == 1) totals_.name = ShownUrl(plan.jobs.front().url);
}

launch::WorkerPool::Callbacks FetchRun::Callbacks() {
  launch::WorkerPool::Callbacks callbacks;
  callbacks.on_head = [this](TransferId id, const ResponseHead& head) { OnHead(id, head); };
  callbacks.on_body = [this](TransferId id, absl::string_view piece) { OnBody(id, piece); };
  callbacks.on_restart = [this](TransferId id) { OnRestart(id); };
  callbacks.on_done = [this](const TransferResult& result) { OnDone(result); };
  return callbacks;
}

std::optional<int> FetchRun::Run(launch::WorkerPool* pool) {
  pool_ = pool;
  for (;;) {
    BeginRetries();
    BeginSome();
    const bool is_done = under_way_.empty() && resting_.empty();
    if (was_unread_ || (!is_done && HasLostReader())) return EndUnread();
    if (is_done) {
      if (was_cancelled_) return EndEarly(absl::CancelledError(), kExitBroker);
      break;
    }
    const absl::Status status =
        AwaitSomething() ? pool->Poll(milliseconds(0)) : absl::CancelledError();
    if (!status.ok()) return EndEarly(status, kExitBroker);
    bar_.Draw(Count());
  }
  bar_.Finish(Count());
  return status_;
}

// A terminal's Ctrl-C is also for the processes that the pool has, and for the reader of standard
// output, whose end may be heard of first.
std::optional<int> FetchRun::EndEarly(const absl::Status& status, int exit_status) {
  if (IsStopped(milliseconds(100))) {
    bar_.Finish(Count(), "interrupted: ");
    return std::nullopt;
  }
  if (!options_.silent || options_.show_error) {
    Say(STDERR_FILENO, absl::StrCat("sockgate fetch: ", status.message()));
  }
  return exit_status;
}

// As `sockgate fetch ... | head` has it: what follows would be fetched for nobody.
std::optional<int> FetchRun::EndUnread() {
  return EndEarly(
      absl::UnavailableError("(23) cannot write standard output: its reader has gone away"),
      CURLE_WRITE_ERROR);
}

// A pipe tells its writer, whether he writes or not.
bool FetchRun::HasLostReader() const {
  pollfd output = {output_, 0, 0};
  return poll(&output, 1, 0) == 1;
}

bool FetchRun::IsStopped(milliseconds within) const {
  pollfd entry = {stop_, POLLIN, 0};
  return poll(&entry, 1, static_cast<int>(within.count())) == 1;
}

// No more than can be under way.
void FetchRun::BeginSome() {
  const size_t most = size_t{options_.jobs} * options_.workers;
  const auto may_begin = [&] {
    return under_way_.size() < most && under_way_.size() + resting_.size() < most_files_;
  };
  while (next_ < plan_.jobs.size() && may_begin() && !was_cancelled_ && !was_unread_) {
    const size_t index = next_++;
    Begin(std::make_unique<Item>(index, &plan_.jobs[index].place, stop_));
  }
}

void FetchRun::BeginRetries() {
  const auto now = Clock::now();
  while (!resting_.empty() && resting_.begin()->first <= now) {
    Begin(std::move(resting_.extract(resting_.begin()).mapped()));
  }
}

void FetchRun::Begin(std::unique_ptr<Item> item) {
  TransferResult result;
  const FetchJob& job = plan_.jobs[item->index];
  if (!job.fault.ok()) {
    result.code = job.fault.code;
    result.text = job.fault.text;
    return Finish(std::move(item), result);
  }
  item->failure = item->output.Begin();
  if (item->failure.ok()) {
    Transfer transfer = plan_.request;
    transfer.url = job.url;
    const auto id = pool_->Add(std::move(transfer));
    if (id.ok()) {
      under_way_.emplace(*id, std::move(item));
      return;
    }
    result.code = CURLE_URL_MALFORMAT;
    result.text = std::string(id.status().message());
  }
  Finish(std::move(item), result);
}

milliseconds FetchRun::LongestWait() const {
  milliseconds wait = bar_.on() ? FetchBar::kRedraw : milliseconds(1000);
  if (!resting_.empty()) {
    const auto left = resting_.begin()->first - Clock::now();
    wait = std::min(wait, std::chrono::ceil<milliseconds>(left));
  }
  return std::max(wait, milliseconds(0));
}

bool FetchRun::AwaitSomething() const {
  pollfd entries[] = {{stop_, POLLIN, 0}, {pool_->descriptor(), POLLIN, 0}, {output_, 0, 0}};
  return poll(entries, 3, static_cast<int>(LongestWait().count())) <= 0 || entries[0].revents == 0;
}

void FetchRun::OnHead(TransferId id, const ResponseHead& head) {
  const auto found = under_way_.find(id);
  if (found != under_way_.end()) found->second->size = ContentLength(head.headers);
}

void FetchRun::OnBody(TransferId id, absl::string_view piece) {
  const auto found = under_way_.find(id);
  if (found == under_way_.end() || !found->second->failure.ok()) return;
  Item* item = found->second.get();
  item->now += piece.size();
  totals_.bytes += piece.size();
  absl::Status added = item->output.Add(piece);
  if (!added.ok()) Fail(id, item, added);
}

void FetchRun::OnRestart(TransferId id) {
  const auto found = under_way_.find(id);
  if (found == under_way_.end()) return;
  Item* item = found->second.get();
  Void(item);
  absl::Status status =
      item->output.CanRestart()
          ? item->output.Begin()
          : absl::DataLossError("its worker ended when a part of the body was written already");
  if (!status.ok()) Fail(id, item, status);
}

void FetchRun::Void(Item* item) {
  totals_.bytes -= item->now;
  item->now = 0;
  item->size = 0;
}

void FetchRun::Fail(TransferId id, Item* item, const absl::Status& failure) {
  item->failure = failure;
  pool_->Cancel(id);
}

void FetchRun::OnDone(const TransferResult& result) {
  auto entry = under_way_.extract(result.id);
  if (entry.empty()) return;
  std::unique_ptr<Item> item = std::move(entry.mapped());
  const auto pause = PauseBeforeRetry(*item, result);
  if (pause.has_value()) {
    Void(item.get());
    ++item->retries;
    if (options_.verbose) {
      Say(STDERR_FILENO, absl::StrCat("* ", TerminalLine(ShownUrl(plan_.jobs[item->index].url)),
                                      ": again in ", pause->count(), " ms"));
    }
    resting_.emplace(Clock::now() + *pause, std::move(item));
  } else {
    Finish(std::move(item), result);
  }
}

std::optional<milliseconds> FetchRun::PauseBeforeRetry(const Item& item,
                                                       const TransferResult& result) const {
  if (result.fate != Fate::kEnded || !item.failure.ok() || !item.output.CanRestart()) {
    return std::nullopt;
  }
  return retry_.Next(AttemptEnd::Of(result, time(nullptr)), item.retries,
                     std::chrono::duration_cast<milliseconds>(Clock::now() - item.begun));
}

void FetchRun::Finish(std::unique_ptr<Item> item, const TransferResult& result) {
  if (item->failure.ok() && result.ok()) {
    bar_.Hide();
    item->failure = item->output.Finish();
  }
  // It is told once, at the end of all.
  if (!item->failure.ok() && HasLostReader()) {
    was_unread_ = true;
    return;
  }
  // The signal is what is told.
  if (absl::IsCancelled(item->failure)) {
    was_cancelled_ = true;
    return;
  }
  FetchOutcome outcome;
  outcome.number = item->index + 1;
  const FetchJob& job = plan_.jobs[item->index];
  outcome.url = job.url;
  if (!job.fault.ok()) outcome.where = plan_.Where(job);
  outcome.proxy = plan_.request.proxy;
  outcome.retries = item->retries;
  outcome.result = result;
  outcome.output = item->failure;
  const int status = outcome.ExitStatus(policy_);
  if (status == 0) outcome.file = item->output.path();
  ++totals_.done;
  if (status != 0) ++totals_.failed;
  if (status != 0) status_ = status;
  Report(outcome, status);
}

void FetchRun::Report(const FetchOutcome& outcome, int status) {
  if (options_.verbose) {
    const std::string trace = outcome.Trace(policy_);
    if (!trace.empty()) Say(STDERR_FILENO, trace);
  }
  if (status != 0 && (!options_.silent || options_.show_error)) {
    Say(STDERR_FILENO, absl::StrCat("sockgate fetch: ", outcome.Message(policy_, status)));
  }
  // Nobody hears of it otherwise.
  if (options_.json && !Say(STDOUT_FILENO, outcome.Json(policy_, status))) {
    status_ = CURLE_WRITE_ERROR;
    was_unread_ = HasLostReader();
  }
}

bool FetchRun::Say(int fd, const std::string& line) {
  bar_.Hide();
  return WriteUnlessStopped(stop_, fd, line + "\n");
}

const FetchTotals& FetchRun::Count() {
  totals_.waiting = resting_.size();
  totals_.known = totals_.known_now = totals_.known_size = 0;
  for (const auto& [id, item] : under_way_) {
    if (item->size == 0) continue;
    ++totals_.known;
    totals_.known_now += std::min(item->now, item->size);
    totals_.known_size += item->size;
  }
  return totals_;
}

}  // namespace sockgate
