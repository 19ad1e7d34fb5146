#include "confine/seccomp_filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "proto/unique_fd.h"

namespace sockgate::confine {
namespace {

using Context = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, void (*)(scmp_filter_ctx)>;

// Level 2 of SCMP_FLTATR_CTL_OPTIMIZE: a binary tree over system call numbers.
constexpr uint32_t kBinaryTree = 2;
constexpr int kMaxErrno = 4095;

uint32_t ToLibseccomp(const Action& action) {
  switch (action.kind) {
    case Action::Kind::kAllow:
      return SCMP_ACT_ALLOW;
    case Action::Kind::kErrno:
      return SCMP_ACT_ERRNO(static_cast<uint32_t>(action.error));
    case Action::Kind::kLog:
      return SCMP_ACT_LOG;
    case Action::Kind::kKillProcess:
      break;
  }
  return SCMP_ACT_KILL_PROCESS;
}

bool ErrnoFits(const Action& action) {
  if (action.kind != Action::Kind::kErrno) return action.error == 0;
  return action.error >= 1 && action.error <= kMaxErrno;
}

// The first reason why the rule is wrong in itself, or nullptr.
const char* Fault(const Profile& profile, const Rule& rule) {
  if (!ErrnoFits(rule.action)) return "errno out of range";
  if (rule.action == profile.fallback) return "does what the fallback does";
  unsigned seen = 0;
  for (const ArgCondition& condition : rule.when) {
    if (condition.index > 5) return "a system call has six arguments";
    if ((seen >> condition.index & 1U) != 0) return "two conditions for one argument";
    seen |= 1U << condition.index;
    if ((condition.value & ~condition.mask) != 0) return "a condition that never holds";
  }
  return nullptr;
}

absl::Status RuleError(const Profile& profile, const Rule& rule, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("profile ", profile.name, ", rule for ", rule.syscall, ": ", why));
}

// libseccomp lets a rule without conditions swallow its neighbours silently, so that is
// refused here.
absl::Status CheckNeighbours(const Profile& profile) {
  std::map<std::string, int> count;
  for (const Rule& rule : profile.rules) ++count[rule.syscall];
  for (const Rule& rule : profile.rules) {
    if (rule.when.empty() && count[rule.syscall] > 1) {
      return RuleError(profile, rule, "without conditions, beside another rule");
    }
  }
  return absl::OkStatus();
}

absl::Status AddRule(const Profile& profile, const Rule& rule, scmp_filter_ctx context) {
  if (const char* fault = Fault(profile, rule)) return RuleError(profile, rule, fault);
  const int number = seccomp_syscall_resolve_name(rule.syscall.c_str());
  if (number == __NR_SCMP_ERROR) return RuleError(profile, rule, "unknown system call");

  std::vector<scmp_arg_cmp> conditions;
  conditions.reserve(rule.when.size());
  for (const ArgCondition& when : rule.when) {
    conditions.push_back({when.index, SCMP_CMP_MASKED_EQ, when.mask, when.value});
  }
  const int failed = seccomp_rule_add_array(context, ToLibseccomp(rule.action), number,
                                            static_cast<unsigned>(conditions.size()),
                                            conditions.empty() ? nullptr : conditions.data());
  if (failed != 0) return RuleError(profile, rule, absl::StrCat("libseccomp errno ", -failed));
  return absl::OkStatus();
}

absl::StatusOr<Context> NewContext(const Profile& profile) {
  if (!ErrnoFits(profile.fallback)) {
    return absl::InvalidArgumentError(
        absl::StrCat("profile ", profile.name, ", fallback: errno out of range"));
  }
  Context context(seccomp_init(ToLibseccomp(profile.fallback)), seccomp_release);
  if (context == nullptr) return absl::InternalError("libseccomp gives no context");
  if (seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0 ||
      seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, kBinaryTree) != 0) {
    return absl::InternalError("libseccomp refuses an attribute");
  }
  return context;
}

// libseccomp writes a program only to a descriptor; loading it itself would need malloc after fork.
absl::StatusOr<std::vector<sock_filter>> Export(scmp_filter_ctx context) {
  const UniqueFd file(memfd_create("seccomp-filter", MFD_CLOEXEC));
  if (!file.valid()) return absl::ErrnoToStatus(errno, "memfd_create");
  const int failed = seccomp_export_bpf(context, file.get());
  if (failed != 0) return absl::ErrnoToStatus(-failed, "seccomp_export_bpf");
  const off_t size = lseek(file.get(), 0, SEEK_END);
  if (size < 0 || lseek(file.get(), 0, SEEK_SET) != 0) return absl::ErrnoToStatus(errno, "lseek");
  std::vector<sock_filter> program(static_cast<size_t>(size) / sizeof(sock_filter));
  if (program.empty() || program.size() > BPF_MAXINSNS) {
    return absl::InternalError(absl::StrCat("a filter of ", program.size(), " instructions"));
  }
  if (read(file.get(), program.data(), program.size() * sizeof(sock_filter)) != size) {
    return absl::InternalError("a filter could not be read back");
  }
  return program;
}

}  // namespace

absl::StatusOr<SeccompFilter> SeccompFilter::Build(const Profile& profile) {
  if (absl::Status status = CheckNeighbours(profile); !status.ok()) return status;
  absl::StatusOr<Context> context = NewContext(profile);
  if (!context.ok()) return context.status();
  for (const Rule& rule : profile.rules) {
    if (absl::Status status = AddRule(profile, rule, context->get()); !status.ok()) return status;
  }
  absl::StatusOr<std::vector<sock_filter>> program = Export(context->get());
  if (!program.ok()) return program.status();
  return SeccompFilter(*std::move(program));
}

int SeccompFilter::Install() const {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  const sock_fprog code{static_cast<uint16_t>(program_.size()),
                        const_cast<sock_filter*>(program_.data())};
  const auto result =
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &code);
  if (result < 0) return errno;
  // A positive result is the thread that could not follow; nothing was installed.
  return result == 0 ? 0 : ESRCH;
}

}  // namespace sockgate::confine
