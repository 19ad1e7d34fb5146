// What a worker inherits, what bounds it, and what becomes of it when its launcher dies.

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "client/launch/confine.h"
#include "client/launch/worker.h"
#include "tests/client/launch/forked.h"
#include "tests/client/launch/start_worker.h"

namespace sockgate::launch {
namespace {

// --- descriptors ---

// Lists the descriptors below 4096 that are open in this process.
std::vector<int> OpenDescriptors() {
  std::vector<int> open;
  for (int fd = 0; fd < 4096; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) open.push_back(fd);
  }
  return open;
}

TEST(WorkerDescriptors, OnlyTheMeantOnesAreOpen) {
  const UniqueFd secret(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd far(fcntl(secret.get(), F_DUPFD, 700));
  const UniqueFd kept(fcntl(secret.get(), F_DUPFD, 500));
  ASSERT_TRUE(secret.valid() && far.valid() && kept.valid());
  ChannelPair channel = MakeChannel();
  const int number = channel.worker.get();
  WorkerOptions options;
  options.keep_descriptors = {kept.get(), kept.get(), 1};
  const std::vector<int> expected = {0, 1, 2, number, kept.get()};
  absl::StatusOr<Worker> worker =
      Worker::Start(std::move(channel.worker), options, Nothing,
                    [&](int) { return OpenDescriptors() == expected ? 0 : 1; });
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_EQ(worker->Wait().value(), Exited(0));
  EXPECT_EQ(fcntl(secret.get(), F_GETFD), FD_CLOEXEC) << "the launcher keeps its own";
}

TEST(WorkerDescriptors, MissingStandardStreamsAreFilled) {
  EXPECT_EQ(RunForked([] {
              ChannelPair channel = MakeChannel();
              close(STDIN_FILENO);
              close(STDERR_FILENO);
              absl::StatusOr<Worker> worker =
                  Worker::Start(std::move(channel.worker), {}, Nothing, [](int fd) {
                    return OpenDescriptors() == std::vector<int>{0, 1, 2, fd} ? 0 : 1;
                  });
              return worker.ok() ? worker->Wait().value().code_or_signal : 202;
            }),
            Exited(0));
}

TEST(WorkerDescriptors, WhatCannotBeKeptIsAnError) {
  WorkerOptions options;
  options.keep_descriptors = {12345};
  const absl::Status status = StartAndWait(options, Nothing, Nothing).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "12345")) << status;
  EXPECT_FALSE(Worker::Start(UniqueFd(), {}, Nothing, Nothing).ok()) << "no channel";
  EXPECT_FALSE(Worker::Start(UniqueFd(4000), {}, Nothing, Nothing).ok()) << "channel not open";
}

TEST(WorkerDescriptors, StartingManyLeavesNothingBehind) {
  const std::vector<int> before = OpenDescriptors();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(StartAndWait({}, Nothing, Nothing).value(), Exited(0));
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST(WorkerDescriptors, AFileStreamOpenedBeforeIsWritableAfter) {
  std::string path = testing::TempDir() + "/sockgate_stream_XXXXXX";
  const UniqueFd file(mkstemp(path.data()));
  ASSERT_TRUE(file.valid());
  auto stream = std::make_shared<std::ofstream>();
  const auto prepare = [&](int) {
    stream->open(path);
    return stream->good() ? 0 : 1;
  };
  const auto run = [&](int) {
    *stream << "head " << std::string(100000, 'x') << std::flush;
    return stream->good() ? 0 : 2;
  };
  EXPECT_EQ(StartAndWait({}, prepare, run).value(), Exited(0));
  EXPECT_EQ(lseek(file.get(), 0, SEEK_END), 100005);
  unlink(path.c_str());
}

// --- limits ---

int CheckLimit(__rlimit_resource resource, rlim_t value) {
  rlimit limit{};
  getrlimit(resource, &limit);
  return limit.rlim_cur == value && limit.rlim_max == value ? 0 : 1;
}

TEST(WorkerLimits, CoreDumpsAreAlwaysOff) {
  EXPECT_EQ(StartAndWait(
                {}, [](int) { return CheckLimit(RLIMIT_CORE, 0); }, Nothing)
                .value(),
            Exited(0));
}

TEST(WorkerLimits, AreSetBeforePrepare) {
  WorkerOptions options;
  options.limits.open_files = 33;
  options.limits.cpu_seconds = 44;
  options.limits.file_size_bytes = 55555;
  if (!UnderAddressSanitizer()) options.limits.address_space_bytes = rlim_t{1} << 30;
  EXPECT_EQ(StartAndWait(
                options,
                [&](int) {
                  if (CheckLimit(RLIMIT_NOFILE, 33) != 0) return 1;
                  if (CheckLimit(RLIMIT_CPU, 44) != 0) return 2;
                  if (CheckLimit(RLIMIT_FSIZE, 55555) != 0) return 3;
                  if (!options.limits.address_space_bytes) return 0;
                  return CheckLimit(RLIMIT_AS, rlim_t{1} << 30) == 0 ? 0 : 4;
                },
                Nothing)
                .value(),
            Exited(0));
}

TEST(WorkerLimits, AnImpossibleOneIsReported) {
  WorkerOptions options;
  options.limits.open_files = rlim_t{1} << 40;  // more than fs.nr_open, which binds root too
  const absl::Status status = StartAndWait(options, Nothing, Nothing).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(absl::StrContains(status.message(), "resource limit")) << status;
}

// --- the launcher's death ---

// A middle process starts a worker that holds the far end of a pipe, and is then killed.
// Returns the near end, on which the worker's death shows, and the launcher's end of the channel.
ChannelPair KillTheLauncher(bool die_with_launcher) {
  ChannelPair channel = MakeChannel();
  ChannelPair life = MakeChannel();
  const pid_t middle = fork();
  if (middle == 0) {
    WorkerOptions options;
    options.die_with_launcher = die_with_launcher;
    options.keep_descriptors = {life.worker.get()};
    const int life_end = life.worker.get();
    absl::StatusOr<Worker> worker =
        Worker::Start(std::move(channel.worker), options, Nothing, [life_end](int fd) {
          send(life_end, "up", 2, 0);
          return WaitForEndOfChannel(fd);
        });
    if (!worker.ok()) _exit(1);
    pause();
    _exit(0);
  }
  life.worker.Reset();
  channel.worker.Reset();
  char up[2];
  EXPECT_EQ(recv(life.launcher.get(), up, sizeof(up), 0), 2);
  kill(middle, SIGKILL);
  waitpid(middle, nullptr, 0);
  return {std::move(channel.launcher), std::move(life.launcher)};
}

TEST(WorkerLife, EndsWithTheLauncher) {
  const ChannelPair ends = KillTheLauncher(true);
  EXPECT_TRUE(HangsUp(ends.worker.get()));
}

TEST(WorkerLife, GoesOnWhereThatIsAskedFor) {
  ChannelPair ends = KillTheLauncher(false);
  pollfd one{ends.worker.get(), POLLIN, 0};
  EXPECT_EQ(poll(&one, 1, 100), 0);
  ends.launcher.Reset();
  EXPECT_TRUE(HangsUp(ends.worker.get()));
}

}  // namespace
}  // namespace sockgate::launch
