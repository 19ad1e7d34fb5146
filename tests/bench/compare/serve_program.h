// ServeProgram: `sockgate serve` with a policy file, as a host would run it: in its cage, as a user
// who may do nothing else where root can be left, with a resolver, ten rules of which the last lets
// the measurement through, and an audit log in a file.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_SERVE_PROGRAM_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_SERVE_PROGRAM_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "proto/unique_fd.h"
#include "tests/bench/compare/helper_program.h"

namespace sockgate::bench {

class ServeProgram {
 public:
  struct Options {
    std::string sockgate;  // the command
    std::string folder;    // anybody may write there
    bool root = false;     // users other than the caller's can be had
  };
  static absl::StatusOr<ServeProgram> Start(const Options& options);

  pid_t pid() const { return program_->pid(); }
  std::shared_ptr<HelperProgram> program() const { return program_; }

  // The worker's end of a new worker's channel.
  absl::StatusOr<UniqueFd> AddWorker() const;

 private:
  ServeProgram(std::shared_ptr<HelperProgram> program, std::string path)
      : program_(std::move(program)), path_(std::move(path)) {}

  std::shared_ptr<HelperProgram> program_;
  std::string path_;
};

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_SERVE_PROGRAM_H_
