// All tables, for a person and for a program.

#ifndef SOCKGATE_TESTS_BENCH_REPORT_H_
#define SOCKGATE_TESTS_BENCH_REPORT_H_

#include <string>
#include <vector>

#include "tests/bench/connect_latency.h"
#include "tests/bench/fetch_rate.h"
#include "tests/bench/lookup_latency.h"

namespace sockgate::bench {

struct Report {
  std::vector<LatencyTable> latency;
  RateTable rate;
};

struct ResolveReport {
  LookupTable lookups;
  RateTable rate;
};

// Aligned text, with a line of explanation above each table.
std::string ToText(const Report& report);
std::string ToText(const ResolveReport& report);
std::string ToText(const RateTable& table);

// An object {"latency": [{"acceptor", "rounds", "batch", "rows"}...], "rate": {"rounds", "rows"}};
// each row has the fields of its struct.
std::string ToJson(const Report& report);

// An object {"lookups": {"rounds", "batch", "rows"}, "rate": as above}.
std::string ToJson(const ResolveReport& report);

// An object {"rate": as above}.
std::string ToJson(const RateTable& table);

// False: not all of the text is in the file.
bool WriteFile(const std::string& path, const std::string& text);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_REPORT_H_
