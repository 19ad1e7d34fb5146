#include "client/launch/profile_builder.h"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "confine/seccomp_filter.h"

namespace sockgate::launch {
namespace {

// What a confined process may do to nobody but itself, on descriptors that it holds.
constexpr absl::string_view kHarmless[] = {
    // Waiting.
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "ppoll",
    "select",
    "pselect6",
    "pause",
    "nanosleep",
    "timerfd_create",
    "timerfd_settime",
    "timerfd_gettime",
    "timer_create",
    "timer_settime",
    "timer_gettime",
    "timer_getoverrun",
    "timer_delete",
    "setitimer",
    "getitimer",
    "alarm",
    "eventfd",
    "signalfd",
    "signalfd4",
    "wait4",
    "waitid",
    // Descriptors.
    "dup",
    "dup2",
    "dup3",
    "pipe",
    "pipe2",
    "close_range",
    "readv",
    "preadv",
    "preadv2",
    "pread64",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "recvmmsg",
    "fstat",
    "ftruncate",
    "fallocate",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "flock",
    "fadvise64",
    "readahead",
    "copy_file_range",
    "sendfile",
    // Its own memory, signals and threads.
    "mincore",
    "msync",
    "mlock",
    "mlock2",
    "munlock",
    "membarrier",
    "sigaltstack",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigsuspend",
    "set_tid_address",
    "getcpu",
    "get_robust_list",
    // Questions.
    "getppid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getresuid",
    "getresgid",
    "getgroups",
    "getpgid",
    "getpgrp",
    "getsid",
    "getrusage",
    "getpriority",
    "times",
    "sysinfo",
    "uname",
    "clock_getres",
    "capget",
    "getcwd",
    "sched_getparam",
    "sched_getscheduler",
    "sched_getattr",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "sched_rr_get_interval",
};

bool IsHarmless(const std::string& syscall) {
  return std::find(std::begin(kHarmless), std::end(kHarmless), syscall) != std::end(kHarmless);
}

constexpr const char* kFileCalls[] = {
    "newfstatat", "fstat",      "statx",     "stat",       "lstat",      "access",
    "faccessat",  "faccessat2", "readlink",  "readlinkat", "getdents64", "pread64",
    "pwrite64",   "readv",      "ftruncate", "fallocate",  "fsync",      "fdatasync",
    "fadvise64",  "mkdirat",    "mkdir",     "unlinkat",   "unlink",     "rmdir",
    "renameat",   "renameat2",  "rename",    "getcwd",     "flock",      "copy_file_range",
};

// A program that others may run with this user's rights is nothing that a worker should leave behind.
constexpr uint64_t kLendingModes = S_ISUID | S_ISGID | S_ISVTX;

}  // namespace

ProfileBuilder::ProfileBuilder(std::string name) : profile_(FetcherProfile()) {
  profile_.name = std::move(name);
}

// A rule without conditions stands alone, and so does an answer.
void ProfileBuilder::Add(const std::string& syscall, Action action,
                         std::vector<ArgCondition> when) {
  std::vector<Rule>& rules = profile_.rules;
  const auto gives_way = [&](const Rule& rule) {
    return rule.syscall == syscall && (when.empty() || !(rule.action == action));
  };
  rules.erase(std::remove_if(rules.begin(), rules.end(), gives_way), rules.end());
  const bool always = std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
    return rule.syscall == syscall && rule.when.empty();
  });
  if (!always) rules.push_back({syscall, action, std::move(when)});
}

ProfileBuilder& ProfileBuilder::Allow(const std::string& syscall, std::vector<ArgCondition> when) {
  if (!IsHarmless(syscall)) {
    if (refused_.empty()) refused_ = syscall;
    return *this;
  }
  return AllowWayOut(syscall, std::move(when));
}

ProfileBuilder& ProfileBuilder::AllowWayOut(const std::string& syscall,
                                            std::vector<ArgCondition> when) {
  Add(syscall, kAllow, std::move(when));
  return *this;
}

ProfileBuilder& ProfileBuilder::Answer(const std::string& syscall, int error) {
  Add(syscall, Errno(error), {});
  return *this;
}

ProfileBuilder& ProfileBuilder::AllowFiles() {
  for (const char* call : kFileCalls) Add(call, kAllow, {});
  Add("openat", kAllow, {BitsClear(3, kLendingModes)});
  // libcurl replaces a file (cookies, HSTS) by another one with the same mode.
  Add("fchmod", kAllow, {BitsClear(1, kLendingModes)});
  return *this;
}

ProfileBuilder& ProfileBuilder::Otherwise(Action action) {
  const bool opens = action.kind == Action::Kind::kAllow || action.kind == Action::Kind::kLog;
  if (opens && refused_.empty()) refused_ = "every call that is not listed";
  profile_.fallback = action;
  return *this;
}

absl::StatusOr<Profile> ProfileBuilder::Build() const {
  if (!refused_.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("profile ", profile_.name, ": ", refused_,
                     " may open a way out of the sandbox; if that is meant, say AllowWayOut"));
  }
  Profile profile = profile_;
  // A rule that does what is done anyway is an error in a profile.
  const auto idle = [&](const Rule& rule) { return rule.action == profile.fallback; };
  profile.rules.erase(std::remove_if(profile.rules.begin(), profile.rules.end(), idle),
                      profile.rules.end());
  const auto filter = confine::SeccompFilter::Build(profile);
  if (!filter.ok()) return filter.status();
  return profile;
}

}  // namespace sockgate::launch
