#include "confine/seccomp_filter.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <seccomp.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/client/launch/forked.h"
#include "tests/confine/bpf_machine.h"

namespace sockgate::confine {
namespace {

using launch::Exited;
using launch::FetcherProfile;
using launch::ProgramProfile;
using launch::RunForked;

constexpr uint32_t kX32 = 0x40000000;
constexpr uint32_t kHighestNumberTried = 1023;

// What the profile, read as a list, says about one call.
Action Meant(const Profile& profile, const std::map<int, std::vector<Rule>>& rules,
             const seccomp_data& call) {
  const auto found = rules.find(call.nr);
  if (found == rules.end()) return profile.fallback;
  for (const Rule& rule : found->second) {
    const bool holds =
        std::all_of(rule.when.begin(), rule.when.end(), [&](const ArgCondition& condition) {
          return (call.args[condition.index] & condition.mask) == condition.value;
        });
    if (holds) return rule.action;
  }
  return profile.fallback;
}

uint32_t KernelValue(const Action& action) {
  switch (action.kind) {
    case Action::Kind::kAllow:
      return SECCOMP_RET_ALLOW;
    case Action::Kind::kErrno:
      return SECCOMP_RET_ERRNO | static_cast<uint32_t>(action.error);
    case Action::Kind::kLog:
      return SECCOMP_RET_LOG;
    case Action::Kind::kKillProcess:
      break;
  }
  return SECCOMP_RET_KILL_PROCESS;
}

// Values that tell conditions apart: small numbers, single bits, and each rule's own values with
// garbage above and one bit off.
std::vector<uint64_t> InterestingValues(const std::vector<Rule>& rules, unsigned index) {
  std::vector<uint64_t> values = {0, ~uint64_t{0}, uint64_t{1} << 32};
  for (const Rule& rule : rules) {
    for (const ArgCondition& condition : rule.when) {
      if (condition.index != index) continue;
      values.push_back(condition.value);
      values.push_back(condition.value | uint64_t{0xabcd} << 32);
      for (unsigned bit = 0; bit < 64; ++bit) {
        values.push_back(condition.value ^ uint64_t{1} << bit);
      }
    }
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

class CompiledProfile : public testing::TestWithParam<Profile> {
 protected:
  void SetUp() override {
    const absl::StatusOr<SeccompFilter> filter = SeccompFilter::Build(GetParam());
    ASSERT_TRUE(filter.ok()) << filter.status();
    program_ = filter->program();
    for (const Rule& rule : GetParam().rules) {
      rules_[seccomp_syscall_resolve_name(rule.syscall.c_str())].push_back(rule);
    }
  }

  void ExpectAsMeant(const seccomp_data& call) {
    EXPECT_EQ(RunFilter(program_, call), KernelValue(Meant(GetParam(), rules_, call)))
        << "call " << call.nr << " (" << std::hex << call.args[0] << ", " << call.args[1] << ", "
        << call.args[2] << ", " << call.args[3] << ", " << call.args[4] << ")";
  }

  std::vector<sock_filter> program_;
  std::map<int, std::vector<Rule>> rules_;
};

Profile Named(Profile profile, const char* name, Action fallback) {
  profile.name = name;
  profile.fallback = fallback;
  return profile;
}

INSTANTIATE_TEST_SUITE_P(Profiles, CompiledProfile,
                         testing::Values(FetcherProfile(), ProgramProfile(),
                                         Named(FetcherProfile(), "killing", kKillProcess),
                                         Named(FetcherProfile(), "logging", kLog)),
                         [](const auto& each) { return each.param.name; });

#if defined(__x86_64__)
TEST_P(CompiledProfile, SaysWhatTheListSaysForEveryNumber) {
  for (uint32_t number = 0; number <= kHighestNumberTried; ++number) {
    ExpectAsMeant({static_cast<int>(number), AUDIT_ARCH_X86_64, 0, {}});
    ExpectAsMeant({static_cast<int>(number), AUDIT_ARCH_X86_64, 0, {~0ULL, ~0ULL, ~0ULL, ~0ULL}});
  }
}

// Pairs of arguments at a time: all combinations of six would take hours.
TEST_P(CompiledProfile, SaysWhatTheListSaysForEveryArgument) {
  for (const auto& [number, rules] : rules_) {
    for (const Rule& rule : rules) {
      seccomp_data call{number, AUDIT_ARCH_X86_64, 0, {}};
      for (const ArgCondition& condition : rule.when) call.args[condition.index] = condition.value;
      for (unsigned first = 0; first < 6; ++first) {
        for (const uint64_t value : InterestingValues(rules, first)) {
          seccomp_data changed = call;
          changed.args[first] = value;
          ExpectAsMeant(changed);
          changed.args[(first + 1) % 6] = ~uint64_t{0};
          ExpectAsMeant(changed);
        }
      }
    }
  }
}

TEST_P(CompiledProfile, KillsForeignArchitecturesAndX32) {
  for (uint32_t number = 0; number <= kHighestNumberTried; ++number) {
    for (const uint32_t arch :
         std::initializer_list<uint32_t>{AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_AARCH64}) {
      const seccomp_data foreign{static_cast<int>(number), arch, 0, {}};
      EXPECT_EQ(RunFilter(program_, foreign), SECCOMP_RET_KILL_PROCESS) << number;
    }
    const seccomp_data x32{static_cast<int>(kX32 | number), AUDIT_ARCH_X86_64, 0, {}};
    EXPECT_EQ(RunFilter(program_, x32), SECCOMP_RET_KILL_PROCESS) << number;
  }
}
#endif

// --- Build refuses a rule that is wrong, and names it ---

struct BadRule {
  const char* name;
  std::vector<Rule> rules;
  const char* complaint;
};

class BadRules : public testing::TestWithParam<BadRule> {};

INSTANTIATE_TEST_SUITE_P(
    Rules, BadRules,
    testing::Values(
        BadRule{"UnknownCall", {{"reed"}}, "rule for reed: unknown system call"},
        BadRule{"SameAsFallback", {{"read", Errno(EPERM)}}, "read: does what the fallback does"},
        BadRule{"ErrnoZero", {{"read", Errno(0)}}, "read: errno out of range"},
        BadRule{"ErrnoTooLarge", {{"read", Errno(4096)}}, "read: errno out of range"},
        BadRule{"SeventhArgument", {{"read", kAllow, {IntIs(6, 0)}}}, "read: a system call has"},
        BadRule{"ArgumentTwice",
                {{"read", kAllow, {IntIs(0, 0), BitsClear(0, 1)}}},
                "read: two conditions"},
        BadRule{"NeverHolds",
                {{"read", kAllow, {ArgCondition{0, 1, 2}}}},
                "read: a condition that never holds"},
        BadRule{"Swallows",
                {{"read", kAllow}, {"read", kAllow, {IntIs(0, 0)}}},
                "read: without conditions, beside another rule"},
        BadRule{"Twice", {{"read", kAllow}, {"read", kAllow}}, "read: without conditions, beside"}),
    [](const auto& each) { return each.param.name; });

TEST_P(BadRules, AreRefusedByName) {
  const absl::StatusOr<SeccompFilter> filter =
      SeccompFilter::Build({"mine", Errno(EPERM), GetParam().rules});
  EXPECT_EQ(filter.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(filter.status().message(), "profile mine"));
  EXPECT_TRUE(absl::StrContains(filter.status().message(), GetParam().complaint))
      << filter.status();
}

TEST(SeccompFilter, RefusesAFallbackThatIsNoErrno) {
  EXPECT_EQ(SeccompFilter::Build({"mine", Errno(0), {}}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(SeccompFilter, TakesAProfileWithoutRules) {
  EXPECT_TRUE(SeccompFilter::Build({"open", kAllow, {}}).ok());
}

}  // namespace
}  // namespace sockgate::confine
