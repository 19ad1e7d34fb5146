// Worker::Exec: the form that executes another program.

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "client/launch/worker.h"
#include "tests/client/launch/forked.h"

namespace sockgate::launch {
namespace {

constexpr char kDescriptorLister[] = "tests/client/launch/descriptor_lister";
constexpr char kTighteningProgram[] = "tests/client/launch/tightening_program";

struct ChannelPair {
  UniqueFd launcher;
  UniqueFd worker;
};

ChannelPair MakeChannel() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string ReadToEnd(int fd) {
  std::string all;
  char buffer[512];
  ssize_t size;
  while ((size = read(fd, buffer, sizeof(buffer))) > 0) {
    all.append(buffer, static_cast<size_t>(size));
  }
  return all;
}

struct Result {
  ExitStatus status;
  std::string output;
};

// Executes `argv` as a worker; what it writes to its channel comes back.
Result RunProgram(const std::vector<std::string>& argv, const WorkerOptions& options = {}) {
  ChannelPair channel = MakeChannel();
  absl::StatusOr<Worker> worker = Worker::Exec(std::move(channel.worker), options, argv);
  EXPECT_TRUE(worker.ok()) << worker.status();
  if (!worker.ok()) return {};
  std::string output = ReadToEnd(channel.launcher.get());
  return {worker->Wait().value(), std::move(output)};
}

Result RunShell(const std::string& script, const WorkerOptions& options = {}) {
  return RunProgram({"/bin/sh", "-c", script}, options);
}

TEST(WorkerExec, ChannelIsAtTheDocumentedPlace) {
  const Result result = RunShell("echo $SOCKGATE_CHANNEL >&3; exit 7");
  EXPECT_EQ(result.output, "3\n");
  EXPECT_EQ(result.status, Exited(7));
}

TEST(WorkerExec, AChannelThatIsAlreadyThereStaysOpen) {
  EXPECT_EQ(RunForked([] {
              ChannelPair channel = MakeChannel();
              const int near = fcntl(channel.launcher.get(), F_DUPFD_CLOEXEC, 100);
              if (dup2(channel.worker.get(), 100 + 1) < 0) return 200;
              channel.launcher.Reset();
              channel.worker.Reset();
              if (dup3(101, kChannelDescriptor, O_CLOEXEC) < 0) return 201;
              close(101);
              absl::StatusOr<Worker> worker = Worker::Exec(UniqueFd(kChannelDescriptor), {},
                                                           {"/bin/sh", "-c", "echo here >&3"});
              if (!worker.ok()) return 202;
              return ReadToEnd(near) == "here\n" ? 0 : 203;
            }),
            Exited(0));
}

TEST(WorkerExec, OnlyTheMeantDescriptorsAreOpen) {
  const UniqueFd leaking(open("/dev/null", O_RDONLY));
  const UniqueFd kept(fcntl(leaking.get(), F_DUPFD_CLOEXEC, 9));
  WorkerOptions options;
  options.keep_descriptors = {kept.get()};
  const std::string expected = "0\n1\n2\n3\n" + std::to_string(kept.get()) + "\n";
  EXPECT_EQ(RunProgram({kDescriptorLister}, options).output, expected);
}

TEST(WorkerExec, EnvironmentIsTheLaunchersButForTheChannel) {
  setenv("SOCKGATE_CHANNEL", "999", 1);
  setenv("SOCKGATE_TEST_INHERITED", "yes", 1);
  EXPECT_EQ(RunShell("echo $SOCKGATE_CHANNEL $SOCKGATE_TEST_INHERITED >&3").output, "3 yes\n");
  unsetenv("SOCKGATE_CHANNEL");
  WorkerOptions options;
  options.environment = {"ONLY=this", "SOCKGATE_CHANNEL=8"};
  EXPECT_EQ(RunShell("echo $SOCKGATE_CHANNEL $SOCKGATE_TEST_INHERITED $ONLY >&3", options).output,
            "3 this\n");
}

TEST(WorkerExec, TheChannelsSourceIsKeptAndNamed) {
  const UniqueFd end(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd source(fcntl(end.get(), F_DUPFD_CLOEXEC, 20));
  WorkerOptions options;
  options.channel_source = source.get();
  const std::string number = std::to_string(source.get());
  EXPECT_EQ(RunShell("echo $SOCKGATE_CHANNEL $SOCKGATE_CHANNEL_SOURCE >&3", options).output,
            "3 " + number + "\n");
  EXPECT_EQ(RunProgram({kDescriptorLister}, options).output, "0\n1\n2\n3\n" + number + "\n");
  options.channel_source = kChannelDescriptor;
  EXPECT_FALSE(Worker::Exec(MakeChannel().worker, options, {"/bin/true"}).ok());
}

// A launcher may be a worker itself.
TEST(WorkerExec, AnotherWorkersSourceIsNotNamed) {
  setenv("SOCKGATE_CHANNEL_SOURCE", "999", 1);
  EXPECT_EQ(RunShell("echo ${SOCKGATE_CHANNEL_SOURCE-none} >&3").output, "none\n");
  unsetenv("SOCKGATE_CHANNEL_SOURCE");
}

TEST(WorkerExec, SignalsAndLimitsAreFresh) {
  EXPECT_EQ(RunForked([] {
              if (signal(SIGTERM, SIG_IGN) == SIG_ERR) return 201;
              WorkerOptions options;
              options.limits.open_files = 37;
              return RunShell("ulimit -n >&3; ulimit -c >&3; trap", options).output == "37\n0\n"
                         ? 0
                         : 200;
            }),
            Exited(0));
}

TEST(WorkerExec, CannotForkOutOfTheProfile) {
  EXPECT_NE(RunShell("/bin/true; echo $? >&3").status, Exited(0));
}

TEST(WorkerExec, AProgramThatCannotBeExecutedIsAnErrorHere) {
  const auto code = [](const std::vector<std::string>& argv) {
    return Worker::Exec(MakeChannel().worker, {}, argv).status();
  };
  EXPECT_EQ(code({"/no/such/program"}).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(code({"/no/such/program"}).message(), "exec"));
  EXPECT_EQ(code({"/etc/passwd"}).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(code({"sh"}).code(), absl::StatusCode::kNotFound) << "PATH is not searched";
  EXPECT_EQ(code({}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({""}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "failed children are reaped";
}

TEST(WorkerExec, AProfileThatForbidsExecIsAnErrorHere) {
  WorkerOptions options;
  options.confinement.profile = FetcherProfile();
  const absl::Status status = Worker::Exec(MakeChannel().worker, options, {"/bin/true"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(status.message(), "exec")) << status;
}

TEST(WorkerExec, NothingElseMayStandInTheChannelsPlace) {
  EXPECT_EQ(RunForked([] {
              ChannelPair channel = MakeChannel();
              UniqueFd moved(fcntl(channel.worker.get(), F_DUPFD_CLOEXEC, 50));
              if (dup2(STDERR_FILENO, kChannelDescriptor) < 0) return 200;
              WorkerOptions options;
              options.keep_descriptors = {kChannelDescriptor};
              return Worker::Exec(std::move(moved), options, {"/bin/true"}).status().code() ==
                             absl::StatusCode::kInvalidArgument
                         ? 0
                         : 201;
            }),
            Exited(0));
}

TEST(WorkerExec, MayBeCalledFromThreads) {
  std::vector<std::thread> launchers;
  launchers.reserve(8);
  for (int i = 0; i < 8; ++i) {
    launchers.emplace_back([i] {
      for (int round = 0; round < 5; ++round) {
        const std::string word = std::to_string(i * 100 + round);
        EXPECT_EQ(RunShell("echo " + word + " >&3").output, word + "\n");
      }
    });
  }
  for (std::thread& launcher : launchers) launcher.join();
}

TEST(WorkerExec, AProgramTightensItselfToTheFetcher) {
  const Result result = RunProgram({kTighteningProgram});
  EXPECT_EQ(result.output, "ok");
  EXPECT_EQ(result.status, Exited(0));
}

}  // namespace
}  // namespace sockgate::launch
