#include "client/lookup_log.h"

#include <pthread.h>

#include <algorithm>
#include <deque>
#include <mutex>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace sockgate {
namespace {

constexpr size_t kKept = 1024;

struct Log {
  std::mutex mutex;
  uint64_t count = 0;
  std::deque<FailedLookup> newest_last;
};

Log& TheLog();

// Or a child that is forked while another thread has the lock would wait for it for ever.
Log* NewLog() {
  pthread_atfork([] { TheLog().mutex.lock(); }, [] { TheLog().mutex.unlock(); },
                 [] { TheLog().mutex.unlock(); });
  return new Log();
}

// Never destroyed: resolver threads may outlive main().
Log& TheLog() {
  static Log* const log = NewLog();
  return *log;
}

bool SameName(absl::string_view a, absl::string_view b) {
  return absl::EqualsIgnoreCase(absl::StripSuffix(a, "."), absl::StripSuffix(b, "."));
}

}  // namespace

void RecordFailedLookup(absl::string_view name, const ConnectError& error) {
  Log& log = TheLog();
  const std::lock_guard<std::mutex> lock(log.mutex);
  log.newest_last.push_back({++log.count, std::string(name), error});
  if (log.newest_last.size() > kKept) log.newest_last.pop_front();
}

uint64_t LastFailedLookup() {
  Log& log = TheLog();
  const std::lock_guard<std::mutex> lock(log.mutex);
  return log.count;
}

std::optional<FailedLookup> FindFailedLookup(absl::string_view name, uint64_t after) {
  Log& log = TheLog();
  const std::lock_guard<std::mutex> lock(log.mutex);
  const auto found =
      std::find_if(log.newest_last.rbegin(), log.newest_last.rend(), [&](const FailedLookup& one) {
        return one.number <= after || name.empty() || SameName(one.name, name);
      });
  if (found == log.newest_last.rend() || found->number <= after) return std::nullopt;
  return *found;
}

}  // namespace sockgate
