// ChildProcess: a forked child that runs one function, and what its parent holds of it.
//
// Parent and child have one end each of a SOCK_SEQPACKET pair, the control. Ownership: the object
// kills its child and reaps it when it is destroyed; a parent that dies takes the child along.
// Threads: Start() needs a process with one thread. The parent's end gives up a recv(2) after
// kAnswerSeconds, so a child that hangs does not hang the parent.

#ifndef SOCKGATE_TESTS_BENCH_CHILD_PROCESS_H_
#define SOCKGATE_TESTS_BENCH_CHILD_PROCESS_H_

#include <sys/types.h>

#include <functional>

#include "absl/status/statusor.h"
#include "proto/unique_fd.h"

namespace sockgate::bench {

inline constexpr int kAnswerSeconds = 30;

struct ControlPair {
  UniqueFd parent;
  UniqueFd child;
};
absl::StatusOr<ControlPair> MakeControlPair();

class ChildProcess {
 public:
  // The child ends when `run` returns.
  static absl::StatusOr<ChildProcess> Start(const std::function<void(int control)>& run);

  ~ChildProcess() { Stop(); }
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;

  pid_t pid() const { return pid_; }
  int control() const { return control_.get(); }

 private:
  ChildProcess(pid_t pid, UniqueFd control) : pid_(pid), control_(std::move(control)) {}
  void Stop();

  pid_t pid_ = -1;
  UniqueFd control_;
};

// The processor time that a process and its threads have used, in microseconds; 0 when there is no
// such process.
double CpuMicroseconds(pid_t pid);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_CHILD_PROCESS_H_
