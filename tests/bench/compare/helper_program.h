// HelperProgram: a program that runs for as long as the object lives, with all that it starts.
//
// It is the first process of a PID namespace of its own, so whatever it forks ends with it, and
// nothing else does. Its standard output and error go to a file. Process: the parent needs one
// thread, and to be allowed the namespace (root, or user 0 of a user namespace). Ownership: the
// destructor kills and reaps it; a parent that dies takes it along. Failure: a Status that says
// what is missing, or the last line that the program wrote.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_HELPER_PROGRAM_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_HELPER_PROGRAM_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sockgate::bench {

struct HelperCommand {
  // The program's name, which is looked for where Debian puts programs, or a path; then arguments.
  std::vector<std::string> words;
  std::string package;               // whose program it is
  std::string log;                   // a file
  std::function<bool(pid_t)> ready;  // asked until it says so
};

class HelperProgram {
 public:
  // Returns when it is ready. NotFound: it is not installed. Unavailable: it has ended, or is not
  // ready in time.
  static absl::StatusOr<std::unique_ptr<HelperProgram>> Start(const HelperCommand& command);

  ~HelperProgram();
  HelperProgram(const HelperProgram&) = delete;
  HelperProgram& operator=(const HelperProgram&) = delete;

  pid_t pid() const { return pid_; }

 private:
  explicit HelperProgram(pid_t pid) : pid_(pid) {}

  absl::Status AwaitReady(const HelperCommand& command);

  pid_t pid_;
};

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_HELPER_PROGRAM_H_
