#include "tests/bench/compare/compare_tables.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sockgate::bench {
namespace {

constexpr double kMib = 1 << 20;
constexpr char kNothing[] = "-";

std::string RateText(size_t measure, double rate) {
  return measure == kBulk ? absl::StrFormat("1 = %.2f GiB/s", rate)
                          : absl::StrFormat("1 = %.0f/s", rate);
}

std::string RatioText(const CompareRow& row, size_t measure, bool baseline) {
  const auto& figure = row.rates[measure];
  if (!figure.has_value()) return kNothing;
  if (baseline) return RateText(measure, figure->rate);
  const Spread& ratio = figure->ratio;
  return absl::StrFormat("%.2f (%.2f to %.2f)", ratio.median, ratio.min, ratio.max);
}

std::string CostText(const CompareRow& row, size_t measure) {
  const auto& figure = row.rates[measure];
  if (!figure.has_value() || figure->helper_us == 0) return kNothing;
  return measure == kBulk ? absl::StrFormat("%.2f", figure->helper_us / 1e6)
                          : absl::StrFormat("%.0f", figure->helper_us);
}

std::string MemoryText(const CompareRow& row, size_t index) {
  if (row.memory.size() <= index) return kNothing;
  return absl::StrFormat("%.1f", static_cast<double>(row.memory[index].all) / kMib);
}

}  // namespace

FigureTable RatioTable(const CompareReport& report) {
  FigureTable table;
  table.header = {"rate, to plain libcurl"};
  for (const Measure& measure : kMeasures) table.header.emplace_back(measure.name);
  for (const CompareRow& row : report.rows) {
    std::vector<std::string> cells = {row.name};
    for (size_t i = 0; i < kMeasures.size(); ++i) {
      cells.push_back(RatioText(row, i, &row == &report.rows.front()));
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

FigureTable CostTable(const CompareReport& report) {
  FigureTable table;
  table.header = {"helpers: CPU and memory", "us a fetch", "us at 100", "us by HTTPS", "s a GiB"};
  for (const size_t open : report.connections) {
    table.header.push_back(absl::StrFormat("MiB at %d", open));
  }
  for (const CompareRow& row : report.rows) {
    std::vector<std::string> cells = {row.name};
    for (size_t i = 0; i < kMeasures.size(); ++i) cells.push_back(CostText(row, i));
    for (size_t i = 0; i < report.connections.size(); ++i) cells.push_back(MemoryText(row, i));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string Conditions(const CompareReport& report) {
  std::string text = absl::StrFormat(
      "%d rounds on %d processors, which client, helpers and server share. Server: %s.\nPlain "
      "socket() and connect(): %.1f us of processor time. At most %d connections in TIME_WAIT.\n"
      "While plain libcurl fetched:\n",
      report.rounds, report.processors, report.server, report.connect_us, report.time_wait);
  for (size_t i = 0; i < kMeasures.size(); ++i) {
    if (report.load[i].machine == 0) continue;
    absl::StrAppendFormat(&text, "- %s: the server used %.2f processors, all together %.2f\n",
                          kMeasures[i].name, report.load[i].server, report.load[i].machine);
  }
  return text;
}

std::string Remarks(const CompareReport& report) {
  std::string text;
  for (const CompareRow& row : report.rows) {
    if (!row.remark.empty()) absl::StrAppend(&text, "- ", row.name, ": ", row.remark, "\n");
  }
  return text;
}

}  // namespace sockgate::bench
