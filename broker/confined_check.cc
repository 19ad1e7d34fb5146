#include "broker/confined_check.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "broker/event_loop.h"

// Newer than some libc headers.
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

namespace sockgate {
namespace {

struct DirCloser {
  void operator()(DIR* dir) const { closedir(dir); }
};

UniqueFd PidfdOfPeer(int channel, pid_t pid) {
  int pidfd = -1;
  socklen_t length = sizeof(pidfd);
  if (getsockopt(channel, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) == 0) return UniqueFd(pidfd);
  // Another error than "no such option" means that the peer has ended already.
  if (errno != ENOPROTOOPT || pid <= 0) return UniqueFd();
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

// The start of a short file of /proc; empty when there is none. The kernel gives it in one read.
absl::string_view ReadAt(int folder, const char* path, absl::Span<char> text) {
  const UniqueFd file(openat(folder, path, O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return {};
  const ssize_t size = read(file.get(), text.data(), text.size());
  return {text.data(), size > 0 ? static_cast<size_t>(size) : 0};
}

// Whether the process is still there and /proc calls it by this number. A pidfd is readable when
// its process has ended.
bool LivesAs(int pidfd, pid_t pid) {
  pollfd entry = {pidfd, POLLIN, 0};
  if (poll(&entry, 1, 0) != 0) return false;
  std::array<char, 64> path;
  std::snprintf(path.data(), path.size(), "/proc/self/fdinfo/%d", pidfd);
  std::array<char, 512> text;
  return absl::StrContains(ReadAt(AT_FDCWD, path.data(), absl::MakeSpan(text)),
                           absl::StrCat("\nPid:\t", pid, "\n"));
}

bool HasFewThreads(absl::string_view status) {
  static constexpr absl::string_view kName = "\nThreads:\t";
  const size_t at = status.find(kName);
  int count = 0;
  if (at == absl::string_view::npos) return false;
  status.remove_prefix(at + kName.size());
  return absl::SimpleAtoi(status.substr(0, status.find('\n')), &count) &&
         count <= ConfinedCheck::kMaxThreads;
}

// The name of the program is in there too, but with its newlines escaped.
bool ShowsFilter(int folder, const char* path) {
  // Long enough for some two thousand groups.
  std::array<char, 16 * 1024> text;
  const absl::string_view status = ReadAt(folder, path, absl::MakeSpan(text));
  return absl::StrContains(status, "\nSeccomp:\t2\n") &&
         absl::StrContains(status, "\nNoNewPrivs:\t1\n") && HasFewThreads(status);
}

// Before any listing, since the kernel lists a thousand threads at once.
bool MainThreadShowsFilter(pid_t pid) {
  std::array<char, 32> path;
  std::snprintf(path.data(), path.size(), "/proc/%d/status", pid);
  return ShowsFilter(AT_FDCWD, path.data());
}

bool EveryThreadShowsFilter(pid_t pid) {
  std::array<char, 64> path;
  std::snprintf(path.data(), path.size(), "/proc/%d/task", pid);
  const std::unique_ptr<DIR, DirCloser> tasks(opendir(path.data()));
  if (tasks == nullptr) return false;
  int seen = 0;
  while (const dirent* entry = readdir(tasks.get())) {
    if (entry->d_name[0] == '.') continue;
    if (++seen > ConfinedCheck::kMaxThreads) return false;
    std::snprintf(path.data(), path.size(), "%.20s/status", entry->d_name);
    if (!ShowsFilter(dirfd(tasks.get()), path.data())) return false;
  }
  return seen > 0;
}

}  // namespace

ConfinedCheck ConfinedCheck::OfPeer(int channel, pid_t pid) {
  return ConfinedCheck(pid, PidfdOfPeer(channel, pid));
}

Confined ConfinedCheck::Ask(TimePoint now, LookBudget* budget) {
  if (passed_) return Confined::kYes;
  if (!pidfd_.valid() || pid_ <= 0 || now < next_look_) return Confined::kNo;
  if (!budget->HasTime(now)) return Confined::kNotNow;
  const TimePoint begun = EventLoop::Now();
  // Last, since only of a process that has lived until now can it be said that it was looked at.
  passed_ =
      MainThreadShowsFilter(pid_) && EveryThreadShowsFilter(pid_) && LivesAs(pidfd_.get(), pid_);
  budget->Spend(now, EventLoop::Now() - begun);
  if (passed_) pidfd_.Reset();
  next_look_ = now + kPause;
  return passed_ ? Confined::kYes : Confined::kNo;
}

}  // namespace sockgate
