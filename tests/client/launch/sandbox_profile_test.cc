#include "client/launch/sandbox_profile.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <seccomp.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace sockgate::launch {
namespace {

std::vector<Rule> RulesFor(const Profile& profile, const std::string& syscall) {
  std::vector<Rule> found;
  for (const Rule& rule : profile.rules) {
    if (rule.syscall == syscall) found.push_back(rule);
  }
  return found;
}

std::set<std::string> Allowed(const Profile& profile) {
  std::set<std::string> names;
  for (const Rule& rule : profile.rules) {
    if (rule.action == kAllow) names.insert(rule.syscall);
  }
  return names;
}

bool SameCondition(const ArgCondition& a, const ArgCondition& b) {
  return a.index == b.index && a.mask == b.mask && a.value == b.value;
}

// Whether `inner` holds only where `outer` holds too, as far as equal conditions show it.
bool Covers(const Rule& outer, const Rule& inner) {
  return outer.action == kAllow &&
         std::all_of(outer.when.begin(), outer.when.end(), [&](const ArgCondition& condition) {
           return std::any_of(inner.when.begin(), inner.when.end(), [&](const ArgCondition& other) {
             return SameCondition(condition, other);
           });
         });
}

class EachProfile : public testing::TestWithParam<Profile> {};

INSTANTIATE_TEST_SUITE_P(Profiles, EachProfile, testing::Values(FetcherProfile(), ProgramProfile()),
                         [](const auto& each) { return each.param.name; });

TEST(SandboxProfile, RefusesWhatIsNotListed) {
  EXPECT_EQ(FetcherProfile().fallback, kKillProcess);
  EXPECT_EQ(FetcherLogProfile().fallback, kLog);
  EXPECT_EQ(ProgramProfile().fallback, Errno(EPERM));
}

TEST_P(EachProfile, NamesOnlySystemCallsThatExist) {
  for (const Rule& rule : GetParam().rules) {
    EXPECT_NE(seccomp_syscall_resolve_name(rule.syscall.c_str()), __NR_SCMP_ERROR) << rule.syscall;
  }
}

TEST_P(EachProfile, NeverLogsNorKillsByRule) {
  for (const Rule& rule : GetParam().rules) {
    EXPECT_TRUE(rule.action == kAllow || rule.action.kind == Action::Kind::kErrno) << rule.syscall;
  }
}

TEST_P(EachProfile, AnswersTheNetworkCallsSoftly) {
  const auto only_answer = [](const std::string& syscall) {
    const std::vector<Rule> rules = RulesFor(GetParam(), syscall);
    return rules.size() == 1 && rules[0].when.empty() ? rules[0].action : kAllow;
  };
  EXPECT_EQ(only_answer("connect"), Errno(EINPROGRESS));
  EXPECT_EQ(only_answer("socket"), Errno(EACCES));
  EXPECT_EQ(only_answer("bind"), Errno(EINVAL));
  EXPECT_EQ(only_answer("clone3"), Errno(ENOSYS));
  EXPECT_EQ(only_answer("ioctl"), Errno(ENOTTY));
}

TEST_P(EachProfile, HasNoRuleForWhatWouldOpenAWayOut) {
  for (const char* name : {"sendmsg",
                           "sendmmsg",
                           "listen",
                           "accept",
                           "accept4",
                           "io_uring_setup",
                           "io_uring_enter",
                           "io_uring_register",
                           "ptrace",
                           "process_vm_readv",
                           "process_vm_writev",
                           "process_madvise",
                           "pidfd_open",
                           "pidfd_getfd",
                           "pidfd_send_signal",
                           "kcmp",
                           "fork",
                           "vfork",
                           "execveat",
                           "unshare",
                           "setns",
                           "bpf",
                           "userfaultfd",
                           "keyctl",
                           "add_key",
                           "request_key",
                           "perf_event_open",
                           "kill",
                           "tkill",
                           "tgkill",
                           "rt_sigqueueinfo",
                           "open",
                           "openat2",
                           "open_by_handle_at",
                           "creat",
                           "mount",
                           "umount2",
                           "chroot",
                           "pivot_root",
                           "personality",
                           "pkey_mprotect",
                           "shmat",
                           "remap_file_pages",
                           "setrlimit",
                           "setuid",
                           "init_module",
                           "finit_module",
                           "kexec_load",
                           "splice",
                           "vmsplice",
                           "name_to_handle_at",
                           "socketcall",
                           "modify_ldt",
                           "iopl"}) {
    EXPECT_TRUE(RulesFor(GetParam(), name).empty()) << name;
  }
}

TEST_P(EachProfile, ConditionsEveryCallThatIsSafeOnlyInPart) {
  for (const char* name : {"clone", "socketpair", "sendto", "setsockopt", "fcntl", "prctl"}) {
    const std::vector<Rule> rules = RulesFor(GetParam(), name);
    ASSERT_FALSE(rules.empty()) << name;
    for (const Rule& rule : rules) EXPECT_FALSE(rule.when.empty()) << name;
  }
}

TEST(FetcherProfile, AllowsThisAndNoMore) {
  std::set<std::string> expected = {"brk",
                                    "clock_gettime",
                                    "clock_nanosleep",
                                    "clone",
                                    "close",
                                    "eventfd2",
                                    "exit",
                                    "exit_group",
                                    "fcntl",
                                    "futex",
                                    "geteuid",
                                    "getpeername",
                                    "getpid",
                                    "getrandom",
                                    "getsockname",
                                    "getsockopt",
                                    "gettid",
                                    "gettimeofday",
                                    "getuid",
                                    "lseek",
                                    "madvise",
                                    "mmap",
                                    "mprotect",
                                    "mremap",
                                    "munmap",
                                    "poll",
                                    "prctl",
                                    "read",
                                    "recvfrom",
                                    "recvmsg",
                                    "restart_syscall",
                                    "rseq",
                                    "rt_sigaction",
                                    "rt_sigprocmask",
                                    "rt_sigreturn",
                                    "sched_getaffinity",
                                    "sched_yield",
                                    "sendto",
                                    "set_robust_list",
                                    "setsockopt",
                                    "shutdown",
                                    "socketpair",
                                    "time",
                                    "write",
                                    "writev"};
#if defined(__SANITIZE_ADDRESS__)
  expected.insert({"pipe2", "sigaltstack"});
#endif
  EXPECT_EQ(Allowed(FetcherProfile()), expected);
}

TEST(FetcherProfile, LetsNoMemoryBecomeExecutable) {
  for (const char* name : {"mmap", "mprotect"}) {
    const std::vector<Rule> rules = RulesFor(FetcherProfile(), name);
    ASSERT_EQ(rules.size(), 1U);
    ASSERT_EQ(rules[0].when.size(), 1U) << name;
  }
}

TEST(ProgramProfile, AllowsAllThatTheFetcherMayDoLater) {
  const Profile program = ProgramProfile();
  for (const Rule& rule : FetcherProfile().rules) {
    if (!(rule.action == kAllow)) continue;
    const std::vector<Rule> candidates = RulesFor(program, rule.syscall);
    EXPECT_TRUE(std::any_of(candidates.begin(), candidates.end(), [&](const Rule& outer) {
      return Covers(outer, rule);
    })) << rule.syscall;
  }
}

}  // namespace
}  // namespace sockgate::launch
