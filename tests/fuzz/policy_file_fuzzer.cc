// Fuzzes the loading of policies: it ends with a policy or with an error, never with both, and each
// finding stands in the file and says something in one line.
//
// For a bounded time, with clang's libFuzzer; what it finds stays in the output tree:
//   bazel run --config=fuzz //tests/fuzz:policy_file_fuzzer -- -max_total_time=60
// An ordinary `bazel test` runs the same function from fuzz_driver_main.cc.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_split.h"
#include "broker/policy/policy_file.h"
#include "proto/check.h"

namespace sockgate {
namespace {

void CheckOneLine(absl::string_view text) {
  SOCKGATE_CHECK(std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7F';
  }));
}

void CheckLoaded(absl::string_view text, const LoadedPolicy& loaded) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  bool error = false;
  for (const Finding& finding : loaded.findings) {
    error = error || finding.severity == Finding::Severity::kError;
    SOCKGATE_CHECK(1 <= finding.line && finding.line <= lines.size());
    SOCKGATE_CHECK(1 <= finding.column);
    SOCKGATE_CHECK(finding.column <= lines[finding.line - 1].size() + 1);
    SOCKGATE_CHECK(!finding.message.empty() && !finding.advice.empty());
    CheckOneLine(finding.message);
    CheckOneLine(finding.advice);
  }
  SOCKGATE_CHECK(error != loaded.policy.has_value());
}

}  // namespace
}  // namespace sockgate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  sockgate::CheckLoaded(text, sockgate::ParsePolicy(text));
  return 0;
}
