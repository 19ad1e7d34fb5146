#include "tests/bench/compare/compare_chart.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sockgate::bench {
namespace {

constexpr double kMib = 1 << 20;
// Of a ratio; what was faster for once is cut off.
constexpr double kRatioScale = 1.25;

ChartTone ToneOf(const CompareRow& row) {
  if (row.name.rfind("sockgate", 0) == 0) return ChartTone::kSubject;
  return row.name.rfind("plain", 0) == 0 ? ChartTone::kBaseline : ChartTone::kOther;
}

std::optional<ChartBar> RatioBar(const std::optional<RateFigure>& figure) {
  if (!figure.has_value()) return std::nullopt;
  const Spread& ratio = figure->ratio;
  return ChartBar{ratio.median, ratio.min, ratio.max, absl::StrFormat("%.2f", ratio.median)};
}

ChartBar CostBar(double value) {
  return {value, 0, 0, absl::StrFormat(value < 10 ? "%.1f" : "%.0f", value)};
}

// A way without helpers costs nothing, which is not the same as not measured.
std::optional<ChartBar> CpuBar(const CompareRow& row) {
  if (!row.rates[kSmall].has_value()) return std::nullopt;
  return row.rates[kSmall]->helper_us == 0 ? ChartBar{0, 0, 0, "none"}
                                           : CostBar(row.rates[kSmall]->helper_us);
}

std::optional<ChartBar> MemoryBar(const CompareRow& row, size_t index) {
  if (row.memory.size() > index) return CostBar(static_cast<double>(row.memory[index].all) / kMib);
  if (ToneOf(row) != ChartTone::kBaseline || !row.rates[kSmall].has_value()) return std::nullopt;
  return ChartBar{0, 0, 0, "none"};
}

ChartRow RowOf(const CompareRow& row, size_t most) {
  ChartRow drawn = {row.name, ToneOf(row), {}};
  for (const auto& figure : row.rates) drawn.bars.push_back(RatioBar(figure));
  drawn.bars.push_back(CpuBar(row));
  drawn.bars.push_back(MemoryBar(row, most));
  return drawn;
}

double LongestBar(const BarChart& chart, size_t column) {
  double longest = 0;
  for (const ChartRow& row : chart.rows) {
    if (row.bars[column].has_value()) longest = std::max(longest, row.bars[column]->value);
  }
  return longest == 0 ? 1 : longest;
}

std::vector<ChartColumn> ColumnsOf(const CompareReport& report) {
  const char* titles[] = {"Fetches, 1 at a time", "Fetches, 100 at once", "HTTPS fetches",
                          "One big download"};
  std::vector<ChartColumn> columns;
  for (const char* title : titles) {
    columns.push_back({title, "rate to plain libcurl", kRatioScale, 1});
  }
  columns.push_back({"Helpers' CPU", "\u00b5s a fetch; less is better", 1, std::nullopt});
  columns.push_back({"Helpers' memory",
                     absl::StrFormat("MiB at %d connections", report.connections.back()), 1,
                     std::nullopt});
  return columns;
}

}  // namespace

BarChart ChartOf(const CompareReport& report) {
  BarChart chart;
  chart.title = "sockgate, and what is used in its place";
  chart.subtitle =
      "The same libcurl program fetches over loopback, each time over a new connection. Median of "
      "interleaved rounds; lines: least and greatest.";
  chart.footnotes = {
      absl::StrFormat("%d rounds on %d processors, shared by client, helpers and server (%s). For "
                      "HTTPS all but one "
                      "keep parsed certificates. Big download: %d MiB.",
                      report.rounds, report.processors, report.server, report.big_bytes >> 20)};
  chart.columns = ColumnsOf(report);
  for (const CompareRow& row : report.rows) {
    chart.rows.push_back(RowOf(row, report.connections.size() - 1));
  }
  for (size_t i = kMeasures.size(); i < chart.columns.size(); ++i) {
    chart.columns[i].scale = LongestBar(chart, i);
  }
  return chart;
}

}  // namespace sockgate::bench
