// The comparison as tables, chart and JSON.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_REPORT_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_REPORT_H_

#include <string>

#include "absl/status/status.h"
#include "tests/bench/compare/compare_figures.h"

namespace sockgate::bench {

std::string ToText(const CompareReport& report);
std::string ToMarkdown(const CompareReport& report);
std::string ToChart(const CompareReport& report);  // SVG

// An object {"server", "processors", "rounds", "connect_us", "time_wait", "load", "connections",
// "rows"}; "load" and each row's "rates" by the key of the measure.
std::string ToJson(const CompareReport& report);

// Writes comparison.svg, and the Markdown between the two marks of comparison.md; without such a
// file it writes one that has nothing else.
absl::Status WriteDocuments(const std::string& folder, const CompareReport& report);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_REPORT_H_
