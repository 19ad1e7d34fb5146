// Worker: a confined child process, and the hold that its launcher has on it.
//
// Process: the launcher, before confinement; `prepare` and `run` execute in the child.
// Ownership: a Worker owns its child; destroying or overwriting it kills and reaps the child. The
// channel is given away: the launcher's copy is closed when Start or Exec returns, in any outcome.
// Threads: one Worker is not to be used by two threads at once. Start and Exec block until the
// child is confined (so until `prepare` is through) or has failed. Start needs a single-threaded
// launcher: a lock that another thread held at fork stays locked in the child, where `prepare` and
// `run` may want it. Exec may be called from any thread, for its child makes only async-signal-safe
// calls; only setenv must not run meanwhile. A child that dies with its launcher dies with the
// *thread* that started it (PR_SET_PDEATHSIG).
// Hostile inputs: none; all that is read back from a child that runs is its exit status.
// Failure: a step between fork and the worker's own work that fails (a limit, the filter, exec) is
// a Status that names it, and the child is reaped. No worker runs half confined.
//
//   launcher                  child of Start                   child of Exec
//   compiles the profile,
//   opens the folders
//   forks                     signals to their defaults, but   the same
//                             ignored SIGINT, SIGHUP stay so
//                             dies with the launcher           the same
//                             closes descriptors               also moves the channel to 3
//                             namespaces, limits, user         the same
//                             capabilities, no_new_privs       the same
//                             prepare(channel): may open
//                             files and sockets
//                             Landlock, the filter             Landlock, the filter
//   hears that all is well    run(channel)                     execve
//   waits                     _exit
//
// Manual pages: fork(2), execve(2), waitpid(2), pidfd_open(2), seccomp(2), landlock(7).

#ifndef SOCKGATE_CLIENT_LAUNCH_WORKER_H_
#define SOCKGATE_CLIENT_LAUNCH_WORKER_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/launch/worker_options.h"  // IWYU pragma: export
#include "proto/unique_fd.h"

namespace sockgate::launch {

class Layers;

struct ExitStatus {
  bool signaled = false;
  int code_or_signal = 0;
};

inline bool operator==(const ExitStatus& a, const ExitStatus& b) {
  return a.signaled == b.signaled && a.code_or_signal == b.code_or_signal;
}

inline bool operator!=(const ExitStatus& a, const ExitStatus& b) { return !(a == b); }

class Worker {
 public:
  // Work(channel) returns an exit code, of which the low eight bits count. An exception that leaves
  // it ends the child by std::terminate. The stdio buffers are written out afterwards, but no
  // destructors run: the child ends by _exit.
  using Work = std::function<int(int channel)>;

  // Forks. `prepare` does what will be forbidden later: curl_global_init, tzset, loading
  // certificates. It runs as the worker's user, in its namespaces and without capabilities; nothing
  // else is taken away yet. A result other than 0 ends the child with that code, and Wait tells. It
  // must not wait for anything that the launcher does after Start. Threads that it leaves behind
  // are under the filter too, but there is no Landlock then: an error where that is required. An
  // empty `prepare` does nothing; an empty `run` is InvalidArgument.
  static absl::StatusOr<Worker> Start(UniqueFd channel, const WorkerOptions& options,
                                      const Work& prepare, const Work& run);

  // Forks and executes argv[0], a path (PATH is not searched). The program should call Confine()
  // as soon as it has loaded what it needs: see ProgramProfile and confine.h. Until then it may
  // read and execute what its user may, and write beneath Confinement::files.
  static absl::StatusOr<Worker> Exec(UniqueFd channel, const WorkerOptions& options,
                                     const std::vector<std::string>& argv);

  Worker(Worker&& other) noexcept;
  Worker& operator=(Worker&& other) noexcept;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // -1 once moved from. After Wait the number may belong to someone else.
  pid_t pid() const { return pid_; }

  // Readable (poll, epoll) when the child has ended; -1 where the kernel lacks pidfds (before 5.3).
  // Stays the Worker's.
  int pidfd() const { return pidfd_.get(); }

  // Blocks until the child ends, and reaps it; asked again it answers the same. NotFound when
  // somebody else reaped the child, which also happens where SIGCHLD is ignored; FailedPrecondition
  // once moved from.
  absl::StatusOr<ExitStatus> Wait();

  // What the launcher has put on it. A program of Exec adds its own.
  const InForce& in_force() const { return in_force_; }

  // SIGKILL. Nothing happens if the child has been reaped. Wait is still needed.
  void Kill();

 private:
  explicit Worker(pid_t pid);

  // Waits for the child's reports; a Worker only if there was no failure.
  static absl::StatusOr<Worker> AwaitSetup(pid_t pid, UniqueFd report, const Layers& layers);

  void KillAndReap();

  pid_t pid_ = -1;
  UniqueFd pidfd_;
  bool reaped_ = false;
  ExitStatus status_;
  InForce in_force_;
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_WORKER_H_
