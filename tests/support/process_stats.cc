#include "tests/support/process_stats.h"

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>
#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <memory>
#include <string>

namespace sockgate::testing {
namespace {

std::string ProcPath(pid_t pid, const char* entry) {
  return absl::StrCat("/proc/", pid, "/", entry);
}

struct DirCloser {
  void operator()(DIR* dir) const { closedir(dir); }
};

absl::StatusOr<size_t> CountEntries(const std::string& path) {
  const std::unique_ptr<DIR, DirCloser> dir(opendir(path.c_str()));
  if (dir == nullptr) return absl::ErrnoToStatus(errno, path);
  size_t count = 0;
  errno = 0;
  while (const dirent* entry = readdir(dir.get())) count += entry->d_name[0] != '.' ? 1 : 0;
  if (errno != 0) return absl::ErrnoToStatus(errno, path);
  return count;
}

absl::StatusOr<size_t> RssFromSmapsRollup(pid_t pid) {
  const std::string path = ProcPath(pid, "smaps_rollup");
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    size_t kib = 0;
    if (word == "Rss:" && file >> kib) return kib * 1024;
  }
  return absl::NotFoundError(path);
}

absl::StatusOr<uint64_t> WakeUpsFrom(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    uint64_t count = 0;
    if (word == "voluntary_ctxt_switches:" && file >> count) return count;
  }
  return absl::NotFoundError(path);
}

absl::StatusOr<size_t> RssFromStatm(pid_t pid) {
  const std::string path = ProcPath(pid, "statm");
  std::ifstream file(path);
  size_t virtual_pages = 0;
  size_t resident_pages = 0;
  if (!(file >> virtual_pages >> resident_pages)) return absl::NotFoundError(path);
  return resident_pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

absl::StatusOr<size_t> OpenFdCount(pid_t pid) {
  auto count = CountEntries(ProcPath(pid, "fd"));
  if (count.ok() && pid == getpid()) --*count;
  return count;
}

absl::StatusOr<size_t> ResidentBytes(pid_t pid) {
  auto bytes = RssFromSmapsRollup(pid);
  return bytes.ok() ? bytes : RssFromStatm(pid);
}

absl::StatusOr<size_t> ThreadCount(pid_t pid) { return CountEntries(ProcPath(pid, "task")); }

absl::StatusOr<std::chrono::microseconds> CpuTime(pid_t pid) {
  clockid_t clock;
  timespec used;
  const int error = clock_getcpuclockid(pid, &clock);
  if (error != 0) return absl::ErrnoToStatus(error, "clock_getcpuclockid");
  if (clock_gettime(clock, &used) != 0) return absl::ErrnoToStatus(errno, "clock_gettime");
  return std::chrono::seconds(used.tv_sec) + std::chrono::duration_cast<std::chrono::microseconds>(
                                                 std::chrono::nanoseconds(used.tv_nsec));
}

absl::StatusOr<uint64_t> WakeUps(pid_t pid) {
  const std::string tasks = ProcPath(pid, "task");
  const std::unique_ptr<DIR, DirCloser> dir(opendir(tasks.c_str()));
  if (dir == nullptr) return absl::ErrnoToStatus(errno, tasks);
  uint64_t sum = 0;
  while (const dirent* entry = readdir(dir.get())) {
    if (entry->d_name[0] == '.') continue;
    sum += WakeUpsFrom(absl::StrCat(tasks, "/", entry->d_name, "/status")).value_or(0);
  }
  return sum;
}

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::ifstream file(ProcPath(pid, absl::StrCat("task/", pid, "/children").c_str()));
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

}  // namespace sockgate::testing
