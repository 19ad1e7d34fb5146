// compare_bench: sockgate, and what is used in its place, against plain libcurl.
//
//   bazel run --config=opt //tests/bench/compare -- [--seconds N] [--only LIST] [--ways LIST]
//       [--connections N] [--output FOLDER] [--json FILE]
//
// (which installs the programs first, where it may; this one takes what is there.)
//
// Ways, of which --ways takes a list: contenders.cc. Measures, of which --only takes a list:
//   small        small fetches, one after another
//   concurrent   small fetches, 100 at a time (curl_multi)
//   https        small fetches by HTTPS, one after another; sessions are resumed where libcurl can
//   bulk         one big file
//   memory       of whoever helps, with connections open on which nothing is said
// All but the last are measured in rounds, in random order, each over new connections; a ratio
// compares two turns of one round.
//
// All of it happens in a network namespace of its own, with nearly all ports for local use, and
// every program is the first process of a PID namespace of its own: nothing is disturbed, and
// nothing is left. Where there may be no such namespaces (an ordinary user, on some hosts) the
// programs have no row, and it says why.
//
// Takes about N seconds (150) for the rounds, and at most two minutes for starting and memory.
// Exit status: 0; 1 when plain libcurl or sockgate could not be measured.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/bench/compare/compare_report.h"
#include "tests/bench/compare/comparison.h"
#include "tests/bench/report.h"

namespace sockgate::bench {
namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "compare: %s\n", status.ToString().c_str());
  return EXIT_FAILURE;
}

// Bazel runs programs in a folder of its own; a path is the user's.
std::string UserPath(const std::string& path) {
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  return folder == nullptr || path.front() == '/' ? path : std::string(folder) + "/" + path;
}

int Run(const ComparisonOptions& options, const std::string& output, const std::string& json) {
  const auto report = Compare(options);
  if (!report.ok()) return Fail(report.status());
  std::fputs(ToText(*report).c_str(), stdout);
  if (!json.empty() && !WriteFile(UserPath(json), ToJson(*report))) {
    return Fail(absl::UnavailableError("cannot write " + json));
  }
  const absl::Status status =
      output.empty() ? absl::OkStatus() : WriteDocuments(UserPath(output), *report);
  return status.ok() ? EXIT_SUCCESS : Fail(status);
}

}  // namespace
}  // namespace sockgate::bench

int main(int argc, char** argv) {
  using namespace sockgate::bench;
  ComparisonOptions options;
  std::string output;
  std::string json;
  CLI::App app("Compares sockgate and what is used in its place with plain libcurl.");
  app.add_option("--seconds", options.seconds, "how long the rounds take, about; default 150")
      ->check(CLI::Range(1, 3600));
  app.add_option("--only", options.only, "small,concurrent,https,bulk,memory; default all")
      ->delimiter(',')
      ->check(CLI::IsMember(MeasureKeys()));
  app.add_option("--ways", options.ways, "beside plain libcurl; default all")
      ->delimiter(',')
      ->check(CLI::IsMember(ContenderKeys()));
  app.add_option("--connections", options.connections, "open at a time at the most; default 5000")
      ->check(CLI::Range(5, 5000));
  app.add_option("--bulk-mib", options.bulk_mib, "the big file's size; default 256")
      ->check(CLI::Range(1, 4096));
  app.add_flag("--own-server", options.own_server, "no nginx, but the tests' own server");
  app.add_option("--sockgate", options.sockgate, "the command; default tool/sockgate");
  app.add_option("--output", output, "the folder for comparison.md and comparison.svg");
  app.add_option("--json", json, "the file for all figures");
  CLI11_PARSE(app, argc, argv);
  return Run(options, output, json);
}
