// The figures of the comparison, as they are measured and printed.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_FIGURES_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_FIGURES_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/compare/contenders.h"
#include "tests/bench/compare/target_server.h"
#include "tests/bench/figures.h"

namespace sockgate::bench {

// What is measured of every way, in rounds.
struct Measure {
  const char* key;   // what --only calls it
  const char* name;  // what tables call it
  Page page;
  uint32_t concurrency;
  uint32_t batch;     // fetches of one turn, at most
  uint32_t limit_ms;  // of one turn; none begins later. 0: no limit
};

// The last is the bulk download: its rate is in GiB a second and its cost by the GiB.
inline constexpr std::array<Measure, 4> kMeasures = {{
    {"small", "one at a time", Page::kSmall, 1, 200, 250},
    {"concurrent", "100 at once", Page::kSmall, 100, 800, 400},
    {"https", "HTTPS", Page::kSmallTls, 1, 40, 250},
    {"bulk", "bulk", Page::kBig, 1, 1, 0},
}};
inline constexpr size_t kSmall = 0;
inline constexpr size_t kConcurrent = 1;
inline constexpr size_t kHttps = 2;
inline constexpr size_t kBulk = 3;

struct RateFigure {
  double rate = 0;       // median over the rounds: fetches or GiB a second
  Spread ratio;          // over the rounds, to the first way in the same round
  double helper_us = 0;  // processor time of the helpers: for a fetch, or a GiB
};

struct CompareRow {
  std::string key;
  std::string name;
  std::string remark;
  std::array<std::optional<RateFigure>, kMeasures.size()> rates = {};
  // With so many connections open as the report says; empty: nobody helps, or it was not measured.
  std::vector<HelperMemory> memory = {};
};

// Whether the server or the machine was the limit, while the first way was measured.
struct LoadFigure {
  double server = 0;   // processors that the server used
  double machine = 0;  // processors that were busy, whoever used them
};

struct CompareReport {
  std::string server;
  size_t processors = 0;
  size_t rounds = 0;
  size_t big_bytes = 0;
  double connect_us = 0;  // processor time of a plain socket() and connect() to the server
  size_t time_wait = 0;   // most connections that were seen in TIME_WAIT before a round
  std::array<LoadFigure, kMeasures.size()> load = {};
  std::vector<size_t> connections;  // 0 first
  std::vector<CompareRow> rows;
};

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_COMPARE_FIGURES_H_
