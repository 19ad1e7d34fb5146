// Contenders: the ways to fetch that are compared, each with a process that fetches and the
// programs that help it.
//
// The process that fetches is the same program with the same libcurl in every case. For sockgate it
// is a worker under the fetcher profile; for the others it is not confined, and only its way to the
// network is theirs.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_CONTENDERS_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_CONTENDERS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/compare/helper_program.h"
#include "tests/bench/compare/target_server.h"
#include "tests/bench/fetch_sides.h"

namespace sockgate::bench {

// In bytes.
struct HelperMemory {
  size_t all = 0;    // of all processes that help
  size_t first = 0;  // of the first one alone: the broker without its resolver
};

struct Contender {
  std::string key;     // what --ways calls it
  std::string name;    // what tables call it
  std::string remark;  // why there is no side, or what to know
  // For HTTPS alone: it differs from the first in nothing else.
  bool only_tls = false;
  std::vector<std::shared_ptr<HelperProgram>> helpers = {};
  std::optional<FetchSide> side = {};

  double HelperCpuMicroseconds() const;
  HelperMemory Memory() const;
};

struct ContenderOptions {
  std::string folder;             // theirs; anybody may write there
  bool root = false;              // users other than the caller's can be had
  std::string sockgate;           // the command
  std::vector<std::string> ways;  // keys; empty: all
};

// The first is plain libcurl, whatever the options say: the baseline. One whose programs are not
// there has no side and a remark. Error: the baseline or sockgate cannot be had. Forks: needs a
// process with one thread.
absl::StatusOr<std::vector<Contender>> StartContenders(const ContenderOptions& options,
                                                       const TargetServer& server);

// All that --ways may say.
std::vector<std::string> ContenderKeys();

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_CONTENDERS_H_
