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

constexpr absl::string_view kWaysOut[] = {
    // Sockets: new ones, and old ones pointed elsewhere.
    "socket",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "setsockopt",
    "socketpair",
    "socketcall",
    // Calls that a filter does not see, or that undo it.
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "seccomp",
    "bpf",
    "modify_ldt",
    // Other processes and programs.
    "execve",
    "execveat",
    "fork",
    "vfork",
    "clone",
    "clone3",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "process_mrelease",
    "pidfd_open",
    "pidfd_getfd",
    "pidfd_send_signal",
    "kcmp",
    "kill",
    "tkill",
    "tgkill",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    // Code, and memory that somebody else fills.
    "mmap",
    "mprotect",
    "pkey_mprotect",
    "remap_file_pages",
    "memfd_create",
    "memfd_secret",
    "userfaultfd",
    "personality",
    "shmat",
    // Another view of the system.
    "unshare",
    "setns",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "open_tree",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "open_by_handle_at",
    "name_to_handle_at",
    "prctl",
    "arch_prctl",
    "ioctl",
    "fcntl",
    // Wide interfaces of the kernel.
    "keyctl",
    "add_key",
    "request_key",
    "perf_event_open",
    "fanotify_init",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "swapon",
    "swapoff",
    "quotactl",
    "syslog",
    "lookup_dcookie",
    "setuid",
    "setgid",
    "setreuid",
    "setregid",
    "setresuid",
    "setresgid",
    "setgroups",
    "setfsuid",
    "setfsgid",
    "capset",
};

bool IsWayOut(const std::string& syscall) {
  return std::find(std::begin(kWaysOut), std::end(kWaysOut), syscall) != std::end(kWaysOut);
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
  if (IsWayOut(syscall)) {
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
  profile_.fallback = action;
  return *this;
}

absl::StatusOr<Profile> ProfileBuilder::Build() const {
  if (!refused_.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("profile ", profile_.name, ": ", refused_,
                     " opens a way out of the sandbox; if that is meant, say AllowWayOut"));
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
