// Every act, three times: under the filters it ends as the table says; with the filter's own
// refusal exchanged for a mark, the mark shows that it was the filter that refused; and
// unconfined it works.

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "client/launch/sandbox_profile.h"
#include "tests/escape/act.h"
#include "tests/escape/acts.h"

namespace sockgate::escape {

void PrintTo(const Act& act, std::ostream* out) { *out << act.name; }

namespace {

using launch::Errno;
using launch::Exited;
using launch::FetcherProfile;
using launch::Profile;
using launch::ProgramProfile;

// An errno that no act can get from the kernel.
constexpr int kMark = EHWPOISON;

Profile Marked(Profile profile) {
  profile.fallback = Errno(kMark);
  return profile;
}

void ExpectReal(const Act& act) {
  const launch::ExitStatus free = Perform(act, {});
  if (!act.host_may_refuse) {
    EXPECT_EQ(free, Exited(0)) << "unconfined, the act has to succeed";
  } else if (free == act.confined) {
    GTEST_SKIP() << "confined as expected, but this host refuses it unconfined too";
  }
}

class Escape : public testing::TestWithParam<Act> {};

TEST_P(Escape, IsRefusedByTheFetcherProfile) {
  EXPECT_EQ(Perform(GetParam(), {FetcherProfile()}), GetParam().confined);
}

TEST_P(Escape, IsRefusedByTheFetcherOnTopOfTheProgramProfile) {
  EXPECT_EQ(Perform(GetParam(), {ProgramProfile(), FetcherProfile()}), GetParam().confined);
}

TEST_P(Escape, IsRefusedByTheFilterAndNotByTheKernel) {
  const bool by_fallback = GetParam().confined == Killed() && !GetParam().foreign;
  EXPECT_EQ(Perform(GetParam(), {Marked(FetcherProfile())}),
            by_fallback ? Exited(kMark) : GetParam().confined);
}

TEST_P(Escape, IsRealWhenUnconfined) { ExpectReal(GetParam()); }

const auto kName = [](const auto& each) { return each.param.name; };
INSTANTIATE_TEST_SUITE_P(Network, Escape, testing::ValuesIn(NetworkActs()), kName);
INSTANTIATE_TEST_SUITE_P(SocketOption, Escape, testing::ValuesIn(SocketOptionActs()), kName);
INSTANTIATE_TEST_SUITE_P(Process, Escape, testing::ValuesIn(ProcessActs()), kName);
INSTANTIATE_TEST_SUITE_P(File, Escape, testing::ValuesIn(FileActs()), kName);
INSTANTIATE_TEST_SUITE_P(Kernel, Escape, testing::ValuesIn(KernelActs()), kName);

// What is no act of its own: the table of all families and types.
TEST(EscapeFamilies, NoSocketOfAnyFamilyIsMade) {
  const Act every = {"EverySocket", Exited(0), []() -> Attempt {
                       return [] {
                         for (int family = 0; family < 64; ++family) {
                           for (const int type : {1, 2, 3, 4, 5, 6, 10}) {
                             const int fd = socket(family, type, 0);
                             if (fd >= 0 || errno != EACCES) return family == 0 ? 1 : family;
                           }
                         }
                         return 0;
                       };
                     }};
  EXPECT_EQ(Perform(every, {FetcherProfile()}), Exited(0)) << "the code is a family";
  EXPECT_NE(Perform(every, {}), Exited(0)) << "unconfined, some are made";
}

// The corridor before tightening is as closed towards the network.
class EscapeFromProgram : public testing::TestWithParam<Act> {};

TEST_P(EscapeFromProgram, IsRefusedByTheProgramProfile) {
  const bool by_fallback = GetParam().confined == Killed() && !GetParam().foreign;
  EXPECT_EQ(Perform(GetParam(), {ProgramProfile()}),
            by_fallback ? Exited(EPERM) : GetParam().confined);
}

INSTANTIATE_TEST_SUITE_P(Network, EscapeFromProgram, testing::ValuesIn(NetworkActs()), kName);
INSTANTIATE_TEST_SUITE_P(SocketOption, EscapeFromProgram, testing::ValuesIn(SocketOptionActs()),
                         kName);

}  // namespace
}  // namespace sockgate::escape
