// Every feature once more, where a system call that the fetcher's list lacks is named, not killed
// for: what a new libc or libcurl needs shows here by name.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/escape/features/features.h"
#include "tests/escape/features/missing_calls.h"
#include "tests/escape/features/world.h"

namespace sockgate::escape {
namespace {

class MissingCall : public WorldTest {
 protected:
  using Calls = std::vector<std::string>;

  void ExpectMissing(const Calls& calls, const testing::ConfinedRun::Piece& piece) {
    BrokerProcess broker = world_.StartBroker();
    const auto missing = FindMissingCalls(broker, piece);
    if (absl::IsUnavailable(missing.status())) GTEST_SKIP() << missing.status();
    ASSERT_TRUE(missing.ok()) << missing.status();
    EXPECT_EQ(missing->text, "ok");
    EXPECT_EQ(missing->calls, calls) << "see client/launch/sandbox_profile.cc";
  }
};

class MissingCallOf : public MissingCall, public ::testing::WithParamInterface<Feature> {};

INSTANTIATE_TEST_SUITE_P(Features, MissingCallOf, ::testing::ValuesIn(AllFeatures()), FeatureName);

TEST_P(MissingCallOf, IsNone) {
  ExpectMissing({}, [&](BrokerClient& client) { return GetParam().run(client, places_); });
}

TEST_F(MissingCall, IsNamedOnce) {
  ExpectMissing({"getppid(0, 0, 0, 0, 0, 0)"}, [](BrokerClient&) {
    for (int i = 0; i < 2; ++i) syscall(SYS_getppid, 0, 0, 0, 0, 0, 0);
    return "ok";
  });
}

TEST_F(MissingCall, WithOtherArgumentsThanListedIsNamedWithThem) {
  ExpectMissing({"setsockopt(0, 1, 36, 0, 0, 0)"}, [](BrokerClient&) {
    syscall(SYS_setsockopt, 0, IPPROTO_TCP, TCP_NODELAY, 0, 0, 0);
    syscall(SYS_setsockopt, 0, SOL_SOCKET, SO_MARK, 0, 0, 0);
    return "ok";
  });
}

// libc's doing in a thread counts as the first thread's.
TEST_F(MissingCall, OfAThreadIsNamed) {
  ExpectMissing({"getppid(0, 0, 0, 0, 0, 0)"}, [](BrokerClient&) {
    std::thread([] { syscall(SYS_getppid, 0, 0, 0, 0, 0, 0); }).join();
    return "ok";
  });
}

}  // namespace
}  // namespace sockgate::escape
