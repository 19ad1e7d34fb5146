// `sockgate fetch --retry` and the limits of a transfer, against servers that fail.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/tool/command.h"
#include "tests/tool/fetch/fetch_folder.h"
#include "tests/tool/fetch/scripted_server.h"

namespace sockgate::testing {
namespace {

const std::string kBusy = HttpReplyText("503 Busy", "busy\n");
const std::string kDone = HttpReplyText("200 OK", "done\n");

TEST(FetchRetryTest, TheLastAttemptsBodyIsTheBody) {
  const ScriptedServer server({kBusy, kBusy, kDone});
  const CommandResult result = RunSockgate({"fetch", "--allow", server.authority(), "--retry", "3",
                                            "--retry-delay", "0.05", server.Url()});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "done\n");
  EXPECT_EQ(server.served(), 3U);
}

TEST(FetchRetryTest, AFileHasTheLastAttemptsBodyToo) {
  const FetchFolder folder;
  const ScriptedServer server({HttpReplyText("500 x", std::string(50000, 'x')), kDone});
  EXPECT_EQ(RunSockgate({"fetch", "--allow", server.authority(), "--retry", "1", "--retry-delay",
                         "0.05", "-o", folder.In("a"), server.Url()})
                .status,
            0);
  EXPECT_EQ(folder.Read("a"), "done\n");
}

TEST(FetchRetryTest, APipeGetsOneBodyAndTheNullDeviceAny) {
  const ScriptedServer server({kBusy, kBusy, kDone});
  const std::vector<std::string> arguments = {"fetch",   "--allow",    server.authority(),
                                              "--retry", "1",          "--retry-delay",
                                              "0.05",    server.Url(), "-o"};
  const auto with_output = [&](const std::string& path) {
    std::vector<std::string> all = arguments;
    all.push_back(path);
    return RunSockgate(all);
  };
  EXPECT_EQ(with_output("/dev/stdout").out, "busy\n");
  EXPECT_EQ(server.served(), 1U);
  EXPECT_EQ(with_output("/dev/null").status, 0);
  EXPECT_EQ(server.served(), 3U);
}

// While it waits for its second attempt; as under nohup(1), with all its processes.
TEST(FetchRetryTest, AnIgnoredSignalEndsNothing) {
  const FetchFolder folder;
  const ScriptedServer server({kBusy, kDone});
  const pid_t pid = StartSockgate({"fetch", "--allow", server.authority(), "--retry", "1",
                                   "--retry-delay", "0.7", "-o", folder.In("a"), server.Url()},
                                  folder.In("err"), [] {
                                    setpgid(0, 0);
                                    signal(SIGHUP, SIG_IGN);
                                    signal(SIGINT, SIG_IGN);
                                  });
  while (server.served() == 0 && waitpid(pid, nullptr, WNOHANG) == 0) usleep(10000);
  kill(-pid, SIGHUP);
  kill(-pid, SIGINT);
  EXPECT_EQ(AwaitSockgate(pid), 0) << folder.Read("err");
  EXPECT_EQ(folder.Read("a"), "done\n");
}

// Comes before anything else, and is heard of when fetch listens.
void RaiseHeldSigterm() {
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGTERM);
  sigprocmask(SIG_BLOCK, &held, nullptr);
  raise(SIGTERM);
}

TEST(FetchRetryTest, ASignalIsHeardWhileAPipeHasNoReader) {
  const FetchFolder folder;
  ASSERT_EQ(mkfifo(folder.In("pipe").c_str(), 0600), 0);
  const pid_t pid = StartSockgate({"fetch", "-o", folder.In("pipe"), "http://127.0.0.1:1/"},
                                  folder.In("err"), RaiseHeldSigterm);
  EXPECT_EQ(AwaitSockgate(pid), 128 + SIGTERM) << folder.Read("err");
}

TEST(FetchRetryTest, ASignalIsWhatIsToldOfAStartThatFails) {
  const FetchFolder folder;
  for (const bool signalled : {false, true}) {
    const pid_t pid = StartSockgate({"fetch", "http://127.0.0.1:1/"}, folder.In("err"), [&] {
      const rlimit too_few = {5, 5};
      setrlimit(RLIMIT_NOFILE, &too_few);
      if (signalled) RaiseHeldSigterm();
    });
    EXPECT_EQ(AwaitSockgate(pid), signalled ? 128 + SIGTERM : 122) << folder.Read("err");
  }
}

TEST(FetchRetryTest, AStrangersUrlIsSpelledOut) {
  const ScriptedServer server({kBusy, kDone});
  const FetchFolder folder;
  const std::string list = folder.Write("list", server.Url() +
                                                    "\xc2\x9b"
                                                    "2J\n");
  CommandResult result = RunSockgate({"fetch", "-v", "--allow", server.authority(), "--retry", "1",
                                      "--retry-delay", "0.05", "-i", list});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(absl::StrContains(result.err, "page\\xc2\\x9b2J: again in ")) << result.err;
  result = RunSockgate({"fetch", "-O", "-i", list});
  EXPECT_EQ(result.status, 23);
  EXPECT_TRUE(absl::StrContains(result.err, "page\\xc2\\x9b2J: (23) -O: it ends in "))
      << result.err;
}

TEST(FetchRetryTest, SaysHowOftenItTried) {
  const ScriptedServer server({kBusy, kBusy});
  const CommandResult result = RunSockgate({"fetch", "-f", "--allow", server.authority(), "--retry",
                                            "1", "--retry-delay", "0.05", server.Url()});
  EXPECT_EQ(result.status, 22);
  EXPECT_TRUE(absl::EndsWith(result.err, "(503) (after 1 retry)\n")) << result.err;
  EXPECT_EQ(server.served(), 2U);
}

// A server's wish goes before --retry-delay, and --retry-max-time before both.
TEST(FetchRetryTest, AServerMayAskForPatienceWithinLimits) {
  const ScriptedServer server({HttpReplyText("429 Slow", "", "Retry-After: 1\r\n"), kDone,
                               HttpReplyText("429 Slow", "", "Retry-After: 600\r\n")});
  EXPECT_EQ(RunSockgate({"fetch", "--allow", server.authority(), "--retry", "1", "--retry-delay",
                         "500", server.Url()})
                .out,
            "done\n");
  EXPECT_EQ(RunSockgate({"fetch", "-f", "--allow", server.authority(), "--retry", "1",
                         "--retry-delay", "0.1", "--retry-max-time", "5", server.Url()})
                .status,
            22);
  EXPECT_EQ(server.served(), 3U);
}

TEST(FetchRetryTest, ADenialIsNotTriedAgain) {
  const ScriptedServer server({kDone});
  const CommandResult result =
      RunSockgate({"fetch", "--retry", "5", "--retry-delay", "100", server.Url()});
  EXPECT_EQ(result.status, 120);
  EXPECT_FALSE(absl::StrContains(result.err, "retr")) << result.err;
  EXPECT_EQ(server.served(), 0U);
}

// The broker says when it would let the next connect through.
TEST(FetchRetryTest, ALimitIsWaitedFor) {
  const FetchFolder folder;
  const ScriptedServer server({kDone, kDone, kDone});
  const std::string policy = folder.Write(
      "policy.toml",
      "version = 1\n[roles.slow]\nallow = [ { cidr = \"127.0.0.1\", ports = \"*\" } ]\n"
      "limits = { connects_per_second = 1, connect_burst = 1 }\n");
  CommandResult result =
      RunSockgate({"fetch", "-m", "9", "--policy", policy, server.Url(), server.Url()});
  EXPECT_EQ(result.status, 121) << result.err;
  EXPECT_TRUE(absl::StrContains(result.err, "(too-many-per-second), try again in ")) << result.err;
  EXPECT_TRUE(absl::StrContains(result.err, " ms; --retry waits for it, ")) << result.err;
  result = RunSockgate(
      {"fetch", "-m", "9", "--policy", policy, "--retry", "3", server.Url(), server.Url()});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "done\ndone\n");
}

TEST(FetchRetryTest, NeitherIsWhatWillNotChange) {
  const ScriptedServer server({HttpReplyText("404 Not Found", ""), kDone});
  EXPECT_EQ(
      RunSockgate({"fetch", "-f", "--allow", server.authority(), "--retry", "3", server.Url()})
          .status,
      22);
  EXPECT_EQ(server.served(), 1U);
}

// The second says nothing of its size.
TEST(FetchRetryTest, NoBodyIsLargerThanAllowed) {
  const FetchFolder folder;
  const std::string large(200000, 'x');
  const ScriptedServer server({HttpReplyText("200 OK", large), "HTTP/1.0 200 OK\r\n\r\n" + large,
                               HttpReplyText("200 OK", std::string(1024, 'x'))});
  for (int i = 0; i < 3; ++i) {
    const CommandResult result =
        RunSockgate({"fetch", "--allow", server.authority(), "--max-filesize", "1k", "-o",
                     folder.In("a"), server.Url()});
    EXPECT_EQ(result.status, i < 2 ? 63 : 0) << result.err;
    EXPECT_EQ(folder.Names().size(), i < 2 ? 0U : 1U);
  }
}

TEST(FetchRetryTest, RedirectsAreCounted) {
  const std::string again = HttpReplyText("302 Found", "", "Location: /again\r\n");
  const ScriptedServer server({again, again, again, kDone});
  EXPECT_EQ(
      RunSockgate({"fetch", "-L", "--max-redirs", "1", "--allow", server.authority(), server.Url()})
          .status,
      47);
  EXPECT_EQ(RunSockgate(
                {"fetch", "-L", "--max-redirs", "-1", "--allow", server.authority(), server.Url()})
                .out,
            "done\n");
}

}  // namespace
}  // namespace sockgate::testing
