// BarChart: rows of horizontal bars in columns, each column with a scale of its own, as SVG.
//
// A pure value: no file, no clock. All text is escaped, so the SVG is well-formed whatever it says.
//
// Sources: Scalable Vector Graphics 1.1 (W3C).

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_BAR_CHART_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_BAR_CHART_H_

#include <optional>
#include <string>
#include <vector>

namespace sockgate::bench {

struct ChartColumn {
  std::string title;
  std::string note;                 // beneath the title
  double scale = 1;                 // the longest bar; what is longer is cut off
  std::optional<double> reference;  // a dashed line
};

struct ChartBar {
  double value = 0;
  // The ends of the line across the bar's end; none where they are equal.
  double min = 0;
  double max = 0;
  std::string text;
};

enum class ChartTone { kBaseline, kSubject, kOther };

struct ChartRow {
  std::string label;
  ChartTone tone = ChartTone::kOther;
  std::vector<std::optional<ChartBar>> bars;  // one for each column
};

struct BarChart {
  std::string title;
  std::string subtitle;
  std::vector<std::string> footnotes;
  std::vector<ChartColumn> columns;
  std::vector<ChartRow> rows;
};

std::string ToSvg(const BarChart& chart);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_BAR_CHART_H_
