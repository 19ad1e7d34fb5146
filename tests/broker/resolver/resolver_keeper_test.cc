// The keeper: there is always a resolver, and never one without a broker.

#include "broker/resolver/resolver_keeper.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "proto/unique_fd.h"
#include "tests/broker/resolver/resolver_client.h"

namespace sockgate::testing {
namespace {

using std::chrono::milliseconds;

// Reads no file but its hosts file, and its server does not exist: names come from the hosts file.
ResolverOptions WithHosts(const std::string& text) {
  ResolverOptions options = OptionsFor(9);
  options.hosts_file = ::testing::TempDir() + "/hosts";
  std::ofstream(options.hosts_file) << text;
  return options;
}

std::string Lookup(ResolverClient& client, const std::string& name) {
  const auto answer = client.Resolve(name);
  return answer.has_value() ? AddressesOf(*answer) : "no answer";
}

// Whether the process is gone, or dead and not yet waited for.
bool Ended(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string number;
  std::string name;
  std::string state = "Z";
  stat >> number >> name >> state;
  return state == "Z" || state == "X";
}

bool EndsSoon(pid_t pid) {
  for (int i = 0; i < 500 && !Ended(pid); ++i) std::this_thread::sleep_for(milliseconds(10));
  return Ended(pid);
}

TEST(ResolverKeeper, GivesAResolverThatAnswers) {
  ResolverClient client(WithHosts("192.0.2.1 one\n"));
  ASSERT_TRUE(client.AwaitResolver());
  EXPECT_EQ(Lookup(client, "one"), "192.0.2.1");
  EXPECT_EQ(Lookup(client, "localhost"), "127.0.0.1 ::1");
  EXPECT_EQ(client.servers(),
            std::vector<Endpoint>{Endpoint::Ip(IpAddress::V4({127, 0, 0, 1}), 9)});
}

// A service's standard streams may be sockets.
TEST(ResolverKeeper, TheResolverHoldsNoStreamOfItsLauncher) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd before(dup(STDIN_FILENO));
  dup2(ends[0], STDIN_FILENO);
  ResolverClient client(WithHosts(""));
  dup2(before.get(), STDIN_FILENO);
  ASSERT_TRUE(client.AwaitResolver());
  close(ends[0]);
  const std::string folder = "/proc/" + std::to_string(client.resolver_pid()) + "/fd/";
  for (const char* number : {"0", "1"}) {
    char target[64] = {};
    if (readlink((folder + number).c_str(), target, sizeof(target) - 1) < 0) {
      GTEST_SKIP() << "only root may look into a process that is not dumpable";
    }
    EXPECT_STREQ(target, "/dev/null") << number;
  }
  close(ends[1]);
}

TEST(ResolverKeeper, TakesNothingOutOfBounds) {
  ResolverOptions options;
  options.tries = 0;
  EXPECT_EQ(ResolverKeeper::Start(options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ResolverKeeper, TakeSaysWhenNothingIsReady) {
  ResolverClient client(WithHosts(""));
  ASSERT_TRUE(client.AwaitResolver());
  EXPECT_EQ(client.keeper().Take().status().code(), absl::StatusCode::kUnavailable);
}

TEST(ResolverKeeper, AKilledResolverIsReplacedAgainAndAgain) {
  ResolverClient client(WithHosts("192.0.2.1 one\n"));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.AwaitResolver());
    EXPECT_EQ(Lookup(client, "one"), "192.0.2.1");
    const pid_t before = client.resolver_pid();
    ASSERT_GT(before, 0);
    ASSERT_EQ(kill(before, SIGKILL), 0);
    EXPECT_FALSE(client.Resolve("silent.example").has_value()) << "it was killed";
    ASSERT_TRUE(client.AwaitResolver());
    EXPECT_NE(client.resolver_pid(), before);
  }
  EXPECT_EQ(Lookup(client, "one"), "192.0.2.1");
}

TEST(ResolverKeeper, KillReplacesAResolver) {
  ResolverClient client(WithHosts("192.0.2.1 one\n"));
  ASSERT_TRUE(client.AwaitResolver());
  const pid_t before = client.resolver_pid();
  client.keeper().Kill();
  EXPECT_TRUE(EndsSoon(before));
  while (client.Serve(milliseconds(10))) {
  }
  ASSERT_TRUE(client.AwaitResolver());
  EXPECT_EQ(Lookup(client, "one"), "192.0.2.1");
}

TEST(ResolverKeeper, RestartReadsTheFilesAgainWithTheNewOptions) {
  ResolverClient client(WithHosts("192.0.2.1 one\n"));
  ASSERT_TRUE(client.AwaitResolver());
  ResolverOptions options = WithHosts("192.0.2.2 one\n");
  options.servers = {Endpoint::Ip(IpAddress::V4({127, 0, 0, 5}), 53)};
  ASSERT_TRUE(client.keeper().Restart(options).ok());
  while (client.Serve(milliseconds(10)) && client.servers() != options.servers) {
  }
  ASSERT_TRUE(client.AwaitResolver());
  EXPECT_EQ(Lookup(client, "one"), "192.0.2.2");
  EXPECT_EQ(client.servers(), options.servers);
}

TEST(ResolverKeeper, RestartTakesNothingOutOfBounds) {
  ResolverClient client(WithHosts("192.0.2.1 one\n"));
  ASSERT_TRUE(client.AwaitResolver());
  ResolverOptions options;
  options.timeout_ms = 0;
  EXPECT_EQ(client.keeper().Restart(options).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Lookup(client, "one"), "192.0.2.1");
}

TEST(ResolverKeeper, AResolverThatCannotStartIsTriedAgain) {
  ResolverOptions options = WithHosts("");
  options.hosts_file = ::testing::TempDir();
  ResolverClient client(options);
  for (int i = 0; i < 5; ++i) client.Serve(milliseconds(100));
  options.hosts_file = "";
  ASSERT_TRUE(client.keeper().Restart(options).ok());
  ASSERT_TRUE(client.AwaitResolver());
  EXPECT_EQ(Lookup(client, "localhost"), "127.0.0.1 ::1");
}

TEST(ResolverKeeper, ADeadKeeperTakesItsResolverAlongAndIsReported) {
  ResolverClient client(WithHosts(""));
  ASSERT_TRUE(client.AwaitResolver());
  const pid_t resolver = client.resolver_pid();
  ASSERT_EQ(kill(client.keeper().keeper_pid(), SIGKILL), 0);
  EXPECT_TRUE(EndsSoon(resolver));
  const absl::Status status = client.keeper().Take().status();
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.code(), absl::StatusCode::kUnavailable);
}

TEST(ResolverKeeper, TheEndOfTheObjectEndsBoth) {
  pid_t keeper = 0;
  pid_t resolver = 0;
  {
    ResolverClient client(WithHosts(""));
    ASSERT_TRUE(client.AwaitResolver());
    keeper = client.keeper().keeper_pid();
    resolver = client.resolver_pid();
  }
  EXPECT_TRUE(Ended(keeper));
  EXPECT_TRUE(EndsSoon(resolver));
}

TEST(ResolverKeeper, TheDeathOfTheBrokerEndsBoth) {
  int report[2];
  ASSERT_EQ(pipe(report), 0);
  const pid_t broker = fork();
  if (broker == 0) {
    ResolverClient client(WithHosts(""));
    client.AwaitResolver();
    const pid_t pids[] = {client.keeper().keeper_pid(), client.resolver_pid()};
    if (write(report[1], pids, sizeof(pids)) < 0) _exit(1);
    pause();
  }
  pid_t pids[2] = {};
  ASSERT_EQ(read(report[0], pids, sizeof(pids)), static_cast<ssize_t>(sizeof(pids)));
  ASSERT_EQ(kill(broker, SIGKILL), 0);
  ASSERT_EQ(waitpid(broker, nullptr, 0), broker);
  EXPECT_TRUE(EndsSoon(pids[0]));
  EXPECT_TRUE(EndsSoon(pids[1]));
  close(report[0]);
  close(report[1]);
}

}  // namespace
}  // namespace sockgate::testing
