#include "client/launch/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/launch/child_plan.h"
#include "client/launch/child_setup.h"
#include "client/launch/layers.h"
#include "confine/thread_count.h"
#include "proto/fresh_child.h"

namespace sockgate::launch {
namespace {

struct ReportPipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

// Above the numbers that the child gives a meaning to: 0 to 2 and kChannelDescriptor.
absl::StatusOr<UniqueFd> Lift(int fd) {
  const UniqueFd low(fd);
  UniqueFd high(fcntl(fd, F_DUPFD_CLOEXEC, kChannelDescriptor + 1));
  if (!high.valid()) return absl::ErrnoToStatus(errno, "report pipe");
  return high;
}

absl::StatusOr<ReportPipe> MakeReportPipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "report pipe");
  absl::StatusOr<UniqueFd> read_end = Lift(ends[0]);
  absl::StatusOr<UniqueFd> write_end = Lift(ends[1]);
  if (!read_end.ok()) return read_end.status();
  if (!write_end.ok()) return write_end.status();
  return ReportPipe{*std::move(read_end), *std::move(write_end)};
}

// noexcept: an exception shall not unwind into the launcher's half of the program.
[[noreturn]] void RunForked(const ChildPlan& plan, const Worker::Work& prepare,
                            const Worker::Work& run) noexcept {
  SetUpChild(plan);
  if (prepare) {
    if (const int code = prepare(plan.channel_fd)) _exit(code);
  }
  LockChild(plan, confine::CountThreads());
  close(plan.report_fd);
  const int code = run(plan.channel_fd);
  fflush(nullptr);
  _exit(code);
}

[[noreturn]] void RunProgram(const ChildPlan& plan, const std::vector<char*>& argv,
                             const std::vector<char*>& environment) noexcept {
  SetUpChild(plan);
  LockChild(plan, /*threads=*/1);
  execve(argv[0], argv.data(), environment.data());
  FailChild(plan, SetupStep::kExec, errno);
}

// Whatever it was before: the launcher may be a worker of another one.
void SetVariable(const char* name, int descriptor, std::vector<std::string>* variables) {
  const std::string prefix = absl::StrCat(name, "=");
  variables->erase(
      std::remove_if(variables->begin(), variables->end(),
                     [&](const std::string& entry) { return absl::StartsWith(entry, prefix); }),
      variables->end());
  if (descriptor >= 0) variables->push_back(absl::StrCat(prefix, descriptor));
}

std::vector<std::string> EnvironmentFor(const WorkerOptions& options) {
  std::vector<std::string> variables;
  if (options.environment) {
    variables = *options.environment;
  } else {
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
      variables.emplace_back(*entry);
    }
  }
  SetVariable(kChannelVariable, kChannelDescriptor, &variables);
  SetVariable(kSourceVariable, options.channel_source, &variables);
  return variables;
}

// The form that execve wants; valid as long as `strings` is.
std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// False at the end.
absl::StatusOr<bool> ReadReport(int pipe, SetupReport* report) {
  ssize_t size;
  do {
    size = read(pipe, report, sizeof(*report));
  } while (size < 0 && errno == EINTR);
  if (size < 0) return absl::ErrnoToStatus(errno, "report pipe");
  return size == sizeof(*report);
}

void Note(int namespaces, InForce* in_force) {
  in_force->network = (namespaces & CLONE_NEWNET) != 0;
  in_force->mount = (namespaces & CLONE_NEWNS) != 0;
  in_force->pid = (namespaces & CLONE_NEWPID) != 0;
  in_force->ipc = (namespaces & CLONE_NEWIPC) != 0;
  in_force->user = (namespaces & CLONE_NEWUSER) != 0;
}

}  // namespace

absl::StatusOr<Worker> Worker::Start(UniqueFd channel, const WorkerOptions& options,
                                     const Work& prepare, const Work& run) {
  if (!run) return absl::InvalidArgumentError("a worker without work");
  if (absl::Status status = CheckDescriptors(channel.get(), options, ChannelPlace::kAsIs);
      !status.ok()) {
    return status;
  }
  const absl::StatusOr<Layers> layers = Layers::Build(options.confinement, Stage::kLoaded);
  if (!layers.ok()) return layers.status();
  absl::StatusOr<ReportPipe> report = MakeReportPipe();
  if (!report.ok()) return report.status();

  const ChildPlan plan =
      MakePlan(channel.get(), report->write_end.get(), *layers, options, ChannelPlace::kAsIs);
  // Or the worker would write out what the launcher has buffered, once more.
  fflush(nullptr);
  const pid_t pid = ForkWithoutSignals();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) RunForked(plan, prepare, run);
  report->write_end.Reset();
  absl::StatusOr<Worker> worker = AwaitSetup(pid, std::move(report->read_end), *layers);
  // exec undoes it (PR_SET_DUMPABLE(2const)), so a program has to do it itself.
  if (worker.ok()) worker->in_force_.undumpable = !worker->in_force_.profile.empty();
  return worker;
}

absl::StatusOr<Worker> Worker::Exec(UniqueFd channel, const WorkerOptions& options,
                                    const std::vector<std::string>& argv) {
  if (argv.empty() || argv[0].empty()) return absl::InvalidArgumentError("no program to execute");
  if (absl::Status status = CheckDescriptors(channel.get(), options, ChannelPlace::kFixed);
      !status.ok()) {
    return status;
  }
  const absl::StatusOr<Layers> layers = Layers::Build(options.confinement, Stage::kToBeLoaded);
  if (!layers.ok()) return layers.status();
  absl::StatusOr<ReportPipe> report = MakeReportPipe();
  if (!report.ok()) return report.status();
  const std::vector<std::string> variables = EnvironmentFor(options);
  const std::vector<char*> arguments = Pointers(argv);
  const std::vector<char*> environment = Pointers(variables);

  const ChildPlan plan =
      MakePlan(channel.get(), report->write_end.get(), *layers, options, ChannelPlace::kFixed);
  const pid_t pid = ForkWithoutSignals();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) RunProgram(plan, arguments, environment);
  report->write_end.Reset();
  return AwaitSetup(pid, std::move(report->read_end), *layers);
}

absl::StatusOr<Worker> Worker::AwaitSetup(pid_t pid, UniqueFd report, const Layers& layers) {
  Worker worker(pid);
  InForce& in_force = worker.in_force_;
  while (true) {
    SetupReport next{};
    const absl::StatusOr<bool> more = ReadReport(report.get(), &next);
    if (!more.ok()) return more.status();
    if (!*more) return worker;
    if (IsFailure(next)) return ToStatus(next);
    if (next.step == SetupStep::kInNamespaces) Note(next.value, &in_force);
    if (next.step == SetupStep::kUnderLandlock) {
      in_force.profile = layers.profile();
      in_force.landlock_abi = next.value != 0 ? layers.landlock_abi() : 0;
    }
  }
}

// Taken before anybody can wait for the child, the pidfd means this child for good, as a
// number does not.
Worker::Worker(pid_t pid) : pid_(pid), pidfd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}

Worker::Worker(Worker&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      reaped_(other.reaped_),
      status_(other.status_),
      in_force_(std::move(other.in_force_)) {}

Worker& Worker::operator=(Worker&& other) noexcept {
  if (this == &other) return *this;
  KillAndReap();
  pid_ = std::exchange(other.pid_, -1);
  pidfd_ = std::move(other.pidfd_);
  reaped_ = other.reaped_;
  status_ = other.status_;
  in_force_ = std::move(other.in_force_);
  return *this;
}

Worker::~Worker() { KillAndReap(); }

absl::StatusOr<ExitStatus> Worker::Wait() {
  if (pid_ < 0) return absl::FailedPreconditionError("no worker here");
  if (reaped_) return status_;
  int raw = 0;
  pid_t result;
  do {
    result = waitpid(pid_, &raw, 0);
  } while (result < 0 && errno == EINTR);
  if (result < 0) {
    pid_ = -1;
    return absl::NotFoundError("the worker was reaped by somebody else");
  }
  reaped_ = true;
  status_ =
      WIFSIGNALED(raw) ? ExitStatus{true, WTERMSIG(raw)} : ExitStatus{false, WEXITSTATUS(raw)};
  return status_;
}

void Worker::Kill() {
  if (pid_ < 0 || reaped_) return;
  if (pidfd_.valid()) {
    syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  } else {
    kill(pid_, SIGKILL);
  }
}

void Worker::KillAndReap() {
  if (pid_ < 0 || reaped_) return;
  Kill();
  if (const absl::StatusOr<ExitStatus> ended = Wait(); !ended.ok()) pid_ = -1;
}

}  // namespace sockgate::launch
