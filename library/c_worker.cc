#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/launch/worker.h"
#include "confine/thread_count.h"
#include "library/c_confinement.h"
#include "library/c_error.h"
#include "library/sockgate.h"

struct sockgate_worker {
  sockgate::launch::Worker worker;
  pid_t owner;  // who started it
};

namespace sockgate::c {
namespace {

constexpr int kAllNamespaces = SOCKGATE_NAMESPACE_NETWORK | SOCKGATE_NAMESPACE_MOUNT |
                               SOCKGATE_NAMESPACE_PID | SOCKGATE_NAMESPACE_IPC;

launch::Need NeedOf(const sockgate_worker_options& options, int which) {
  if ((options.required_namespaces & which) != 0) return launch::Need::kRequired;
  return (options.namespaces & which) != 0 ? launch::Need::kIfPossible : launch::Need::kNo;
}

absl::StatusOr<launch::WorkerOptions> OptionsFrom(const sockgate_worker_options* theirs) {
  launch::WorkerOptions options;
  if (theirs == nullptr) return options;
  const auto taken = TakeStruct(*theirs);
  if (!taken.has_value()) {
    return absl::InvalidArgumentError("options have no size, or ask for what is newer");
  }
  if (((taken->namespaces | taken->required_namespaces) & ~kAllNamespaces) != 0) {
    return absl::InvalidArgumentError("there is no such namespace");
  }
  if (taken->keep == nullptr && taken->keep_count != 0) {
    return absl::InvalidArgumentError("keep is null, keep_count is not 0");
  }
  auto confinement = ConfinementFrom(taken->confinement);
  if (!confinement.ok()) return confinement.status();
  options.confinement = *std::move(confinement);
  options.namespaces.network = NeedOf(*taken, SOCKGATE_NAMESPACE_NETWORK);
  options.namespaces.mount = NeedOf(*taken, SOCKGATE_NAMESPACE_MOUNT);
  options.namespaces.pid = NeedOf(*taken, SOCKGATE_NAMESPACE_PID);
  options.namespaces.ipc = NeedOf(*taken, SOCKGATE_NAMESPACE_IPC);
  options.keep_descriptors.assign(taken->keep, taken->keep + taken->keep_count);
  return options;
}

// Another thread's locks would stay locked in the child. Where nobody says how many there are, the
// caller is believed.
absl::Status CheckNoOtherThread() {
  const int threads = confine::CountThreads();
  if (threads <= 1) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the worker is a child of fork(2): start it before threads (there are ", threads,
                   "), or use sockgate_worker_exec()"));
}

// A function of C's, with what it is to be given. Null does nothing.
launch::Worker::Work Bind(sockgate_work work, void* context) {
  if (work == nullptr) return nullptr;
  return [work, context](int channel) { return work(channel, context); };
}

// `launch` makes the worker of the options.
template <typename Launch>
int Make(const sockgate_worker_options* options, sockgate_worker** worker, sockgate_error* error,
         const Launch& launch) {
  if (worker == nullptr) return FailNull(error, "worker");
  const auto taken = OptionsFrom(options);
  if (!taken.ok()) return Fail(error, taken.status());
  absl::StatusOr<launch::Worker> made = launch(*taken);
  if (!made.ok()) return Fail(error, made.status());
  *worker = new sockgate_worker{*std::move(made), getpid()};
  return SOCKGATE_OK;
}

}  // namespace
}  // namespace sockgate::c

using namespace sockgate;     // NOLINT(google-build-using-namespace)
using namespace sockgate::c;  // NOLINT(google-build-using-namespace)

int sockgate_worker_start(int channel, const sockgate_worker_options* options,
                          sockgate_work prepare, sockgate_work run, void* context,
                          sockgate_worker** worker, sockgate_error* error) {
  UniqueFd owned(channel);
  return Guarded(error, [&] {
    using Started = absl::StatusOr<launch::Worker>;
    return Make(options, worker, error, [&](const launch::WorkerOptions& taken) -> Started {
      if (absl::Status status = CheckNoOtherThread(); !status.ok()) return status;
      return launch::Worker::Start(std::move(owned), taken, Bind(prepare, context),
                                   Bind(run, context));
    });
  });
}

int sockgate_worker_exec(int channel, const sockgate_worker_options* options,
                         const char* const* argv, sockgate_worker** worker, sockgate_error* error) {
  UniqueFd owned(channel);
  return Guarded(error, [&] {
    if (argv == nullptr || argv[0] == nullptr) return FailNull(error, "argv");
    std::vector<std::string> arguments;
    for (const char* const* next = argv; *next != nullptr; ++next) arguments.emplace_back(*next);
    return Make(options, worker, error, [&](const launch::WorkerOptions& taken) {
      return launch::Worker::Exec(std::move(owned), taken, arguments);
    });
  });
}

int sockgate_worker_pid(const sockgate_worker* worker) {
  return worker == nullptr ? -1 : worker->worker.pid();
}

int sockgate_worker_in_force(const sockgate_worker* worker, sockgate_in_force* in_force,
                             sockgate_error* error) {
  return Guarded(error, [&] {
    if (worker == nullptr) return FailNull(error, "worker");
    if (in_force == nullptr) return FailNull(error, "in_force");
    if (!IsWritable(in_force)) return Fail(error, SOCKGATE_BAD_ARGUMENT, "in_force has no size");
    Tell(worker->worker.in_force(), in_force);
    return int{SOCKGATE_OK};
  });
}

int sockgate_worker_wait(sockgate_worker* worker, int* status, sockgate_error* error) {
  return Guarded(error, [&] {
    if (worker == nullptr) return FailNull(error, "worker");
    if (status == nullptr) return FailNull(error, "status");
    const auto ended = worker->worker.Wait();
    if (!ended.ok()) return Fail(error, ended.status());
    *status = ended->signaled ? -ended->code_or_signal : ended->code_or_signal;
    return int{SOCKGATE_OK};
  });
}

void sockgate_worker_kill(sockgate_worker* worker) {
  if (worker != nullptr && worker->owner == getpid()) worker->worker.Kill();
}

// A child of fork(2) has a copy of the object, whose end would kill its parent's worker.
void sockgate_worker_free(sockgate_worker* worker) {
  if (worker != nullptr && worker->owner == getpid()) delete worker;
}
