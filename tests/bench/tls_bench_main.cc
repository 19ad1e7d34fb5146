// tls_bench: what it costs a confined worker to fetch over TLS.
//
//   bazel run --config=opt //tests/bench:tls_bench -- [--seconds N] [--json FILE]
//
// Fetches a second of a 38-byte body by HTTPS, each over a new connection with a full handshake
// or, where libcurl has a session of that server's, a resumed one. The clients trust what this
// system trusts and the server's certificate beside. In turn:
//      plain libcurl           one handle for all fetches, as programs have it: the baseline
//      plain, without CAPATH   the same with the folder of certificates turned off, for which
//                              libcurl keeps the parsed file
//      sockgate, connected     a worker under the fetcher profile with launch::TrustStore
//      sockgate, in progress   the same in the other mode
//      the same, by text       the worker gives libcurl the text of the certificates
//                              (CURLOPT_CAINFO_BLOB), which is parsed for each connection
//
// Rounds, noise, local ports: as in connect_bench. Takes about N seconds (30). Exit status: 0; 1
// when something could not be measured.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "tests/bench/report.h"
#include "tests/bench/tls_rate.h"

namespace sockgate::bench {
namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "tls_bench: %s\n", status.ToString().c_str());
  return EXIT_FAILURE;
}

int Run(int seconds, const std::string& json_path) {
  const auto table = MeasureTlsRates(std::chrono::seconds(seconds));
  if (!table.ok()) return Fail(table.status());
  std::fputs(ToText(*table).c_str(), stdout);
  if (json_path.empty() || WriteFile(json_path, ToJson(*table))) return EXIT_SUCCESS;
  return Fail(absl::UnavailableError("cannot write " + json_path));
}

}  // namespace
}  // namespace sockgate::bench

int main(int argc, char** argv) {
  int seconds = 30;
  std::string json_path;
  CLI::App app("Measures what it costs a confined worker to fetch over TLS.");
  app.add_option("--seconds", seconds, "how long to measure, about")->check(CLI::Range(1, 3600));
  app.add_option("--json", json_path, "where to write the figures as JSON");
  CLI11_PARSE(app, argc, argv);
  return sockgate::bench::Run(seconds, json_path);
}
