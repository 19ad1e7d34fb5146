// Workers with files: beneath the named folders they may be used, and nothing else is there.

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "confine/landlock_rules.h"
#include "tests/client/launch/forked.h"
#include "tests/client/launch/start_worker.h"

namespace sockgate::launch {
namespace {

using confine::LandlockRules;

class WorkerFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (LandlockRules::KernelAbi() == 0) GTEST_SKIP() << "this kernel has no Landlock";
    for (const char* name : {"out", "in", "elsewhere"}) mkdir(Path(name).c_str(), 0777);
    for (const char* name : {"out", "in", "elsewhere"}) Write(Path(name) + "/old");
  }

  static std::string Path(const std::string& name) { return ::testing::TempDir() + "/" + name; }

  static void Write(const std::string& path) { std::ofstream(path) << "text"; }

  static WorkerOptions InAndOut() {
    WorkerOptions options;
    options.confinement.files = {Read(Path("in")), ReadWrite(Path("out"))};
    return options;
  }

  // The errno of the call in such a worker: 0 where it succeeds.
  static ExitStatus Try(const WorkerOptions& options, const std::function<int64_t()>& call) {
    const auto status = StartAndWait(options, Nothing, [&](int) { return ErrnoOf(call()); });
    EXPECT_TRUE(status.ok()) << status.status();
    return status.ok() ? *status : Exited(250);
  }

  static ExitStatus Open(const std::string& path, int flags) {
    return Try(InAndOut(), [&] { return open(path.c_str(), flags | O_CLOEXEC, 0600); });
  }
};

TEST_F(WorkerFilesTest, WritesBeneathItsFolder) {
  EXPECT_EQ(Open(Path("out") + "/new", O_RDWR | O_CREAT | O_EXCL), Exited(0));
  EXPECT_EQ(Open(Path("out") + "/old", O_WRONLY | O_TRUNC), Exited(0));
  EXPECT_EQ(access((Path("out") + "/new").c_str(), F_OK), 0);
  EXPECT_EQ(
      Try(InAndOut(),
          [&] { return rename((Path("out") + "/old").c_str(), (Path("out") + "/moved").c_str()); }),
      Exited(0));
}

TEST_F(WorkerFilesTest, ReadsWhatIsToBeRead) {
  EXPECT_EQ(Open(Path("in") + "/old", O_RDONLY), Exited(0));
  EXPECT_EQ(Open(Path("in") + "/old", O_RDWR), Exited(EACCES));
  EXPECT_EQ(Open(Path("in") + "/new", O_WRONLY | O_CREAT), Exited(EACCES));
}

TEST_F(WorkerFilesTest, ReachesNothingElse) {
  EXPECT_EQ(Open(Path("elsewhere") + "/old", O_RDONLY), Exited(EACCES));
  EXPECT_EQ(Open("/etc/passwd", O_RDONLY), Exited(EACCES));
  EXPECT_EQ(Open("/proc/self/maps", O_RDONLY), Exited(EACCES));
  EXPECT_EQ(Open(Path("out") + "/../elsewhere/old", O_RDONLY), Exited(EACCES));
  EXPECT_EQ(Open("/", O_RDONLY | O_DIRECTORY), Exited(EACCES));
}

TEST_F(WorkerFilesTest, FollowsNoLinkOut) {
  ASSERT_EQ(symlink("../elsewhere/old", (Path("out") + "/link").c_str()), 0);
  EXPECT_EQ(Open(Path("out") + "/link", O_RDONLY), Exited(EACCES));
}

TEST_F(WorkerFilesTest, MovesNothingInOrOut) {
  const auto move = [&](const std::string& from, const std::string& to) {
    return Try(InAndOut(), [&] { return rename(from.c_str(), to.c_str()); });
  };
  EXPECT_EQ(move(Path("elsewhere") + "/old", Path("out") + "/stolen"), Exited(EACCES));
  EXPECT_EQ(move(Path("out") + "/old", Path("elsewhere") + "/planted"), Exited(EACCES));
}

TEST_F(WorkerFilesTest, AFolderThatIsNotThereIsAnError) {
  WorkerOptions options;
  options.confinement.files = {Read("/no/such/folder")};
  const absl::Status status = StartAndWait(options, Nothing, Nothing).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "/no/such/folder")) << status;
}

TEST_F(WorkerFilesTest, AnAbiThatIsNotThereIsAnError) {
  WorkerOptions options;
  options.confinement.landlock = Need::kRequired;
  options.confinement.least_landlock_abi = 1000;
  const absl::Status status = StartAndWait(options, Nothing, Nothing).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(status.message(), "1000")) << status;
}

TEST_F(WorkerFilesTest, SaysWhatIsInForce) {
  auto worker = Worker::Start(MakeChannel().worker, InAndOut(), Nothing, Nothing);
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_GT(worker->in_force().landlock_abi, 0);
  EXPECT_EQ(worker->in_force().profile, "fetcher with files");
  EXPECT_TRUE(worker->in_force().undumpable);
}

TEST_F(WorkerFilesTest, AThreadLeftBehindIsAnErrorWhereLandlockIsRequired) {
  const auto leave_thread = [](int) {
    std::thread([] { pause(); }).detach();
    return 0;
  };
  const absl::Status status = StartAndWait(InAndOut(), leave_thread, Nothing).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "Landlock")) << status;
  WorkerOptions options;
  auto worker = Worker::Start(MakeChannel().worker, options, leave_thread, Nothing);
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_EQ(worker->in_force().landlock_abi, 0) << "the report does not claim it";
}

// Landlock alone, with a filter that lets everything through.
class LandlockAloneTest : public WorkerFilesTest {
 protected:
  static ExitStatus TryOpen(const std::function<int64_t()>& call) {
    WorkerOptions options;
    options.confinement.profile = Profile{"open", kAllow, {{"reboot", Errno(EPERM)}}};
    return Try(options, call);
  }
};

TEST_F(LandlockAloneTest, OpensNoFile) {
  EXPECT_EQ(TryOpen([] { return open("/etc/passwd", O_RDONLY); }), Exited(EACCES));
  EXPECT_EQ(TryOpen([] { return mkdir("/tmp/should-not-be", 0700); }), Exited(EACCES));
}

TEST_F(LandlockAloneTest, ConnectsAndBindsNoTcpPort) {
  if (LandlockRules::KernelAbi() < 4) GTEST_SKIP() << "Landlock knows no ports before ABI 4";
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(1);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  EXPECT_EQ(
      TryOpen([&] { return connect(socket(AF_INET, SOCK_STREAM, 0), generic, sizeof(address)); }),
      Exited(EACCES));
  address.sin_port = 0;
  EXPECT_EQ(
      TryOpen([&] { return bind(socket(AF_INET, SOCK_STREAM, 0), generic, sizeof(address)); }),
      Exited(EACCES));
}

TEST_F(LandlockAloneTest, SignalsNobodyOutside) {
  if (LandlockRules::KernelAbi() < 6) GTEST_SKIP() << "Landlock knows no signals before ABI 6";
  const pid_t test = getpid();
  EXPECT_EQ(TryOpen([=] { return kill(test, 0); }), Exited(EPERM));
}

}  // namespace
}  // namespace sockgate::launch
