#include "tests/bench/compare/bar_chart.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace sockgate::bench {
namespace {

// In pixels.
constexpr double kMargin = 28;
constexpr double kLabelWidth = 176;
constexpr double kColumnWidth = 158;
constexpr double kColumnGap = 14;
constexpr double kValueWidth = 46;  // right of the bars
constexpr double kRowHeight = 30;
constexpr double kBarHeight = 16;
constexpr double kRowsTop = 136;
constexpr double kFootnoteHeight = 18;

constexpr char kInk[] = "#1e293b";
constexpr char kFaint[] = "#64748b";
constexpr char kStripe[] = "#f5f7fa";
constexpr char kRule[] = "#94a3b8";

constexpr double kBarsWidth = kColumnWidth - kValueWidth;

const char* ColorOf(ChartTone tone) {
  switch (tone) {
    case ChartTone::kBaseline:
      return "#64748b";
    case ChartTone::kSubject:
      return "#0d9488";
    case ChartTone::kOther:
      return "#d8a657";
  }
  return kInk;
}

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

struct TextStyle {
  double size = 13;
  const char* color = kInk;
  const char* anchor = "start";
  bool bold = false;
};

class Drawing {
 public:
  void Rect(double x, double y, double width, double height, const char* color, double round) {
    absl::StrAppendFormat(
        &text_,
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"%.1f\" fill=\"%s\"/>\n", x,
        y, width, height, round, color);
  }

  void Line(double x1, double y1, double x2, double y2, const char* color, const char* dashes) {
    absl::StrAppendFormat(&text_,
                          "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
                          "stroke-width=\"1.2\" stroke-dasharray=\"%s\"/>\n",
                          x1, y1, x2, y2, color, dashes);
  }

  void Text(double x, double y, const std::string& text, const TextStyle& style) {
    absl::StrAppendFormat(&text_,
                          "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\" fill=\"%s\" "
                          "text-anchor=\"%s\" font-weight=\"%d\">%s</text>\n",
                          x, y, style.size, style.color, style.anchor, style.bold ? 600 : 400,
                          Escaped(text));
  }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

double ColumnLeft(size_t column) {
  return kMargin + kLabelWidth + static_cast<double>(column) * (kColumnWidth + kColumnGap);
}

double RowTop(size_t row) { return kRowsTop + static_cast<double>(row) * kRowHeight; }

double LengthOf(double value, double scale) {
  return std::clamp(value / scale, 0.0, 1.0) * kBarsWidth;
}

void DrawBar(const ChartBar& bar, const ChartColumn& column, double left, double middle,
             ChartTone tone, Drawing* drawing) {
  // At least a sliver, so that little does not look like nothing.
  const double length = std::max(LengthOf(bar.value, column.scale), 1.5);
  drawing->Rect(left, middle - kBarHeight / 2, length, kBarHeight, ColorOf(tone), 2);
  if (bar.min < bar.max) {
    const double min = left + LengthOf(bar.min, column.scale);
    const double max = left + LengthOf(bar.max, column.scale);
    drawing->Line(min, middle, max, middle, kInk, "none");
    drawing->Line(min, middle - 3, min, middle + 3, kInk, "none");
    drawing->Line(max, middle - 3, max, middle + 3, kInk, "none");
  }
}

void DrawColumns(const BarChart& chart, Drawing* drawing) {
  const double bottom = RowTop(chart.rows.size());
  for (size_t i = 0; i < chart.columns.size(); ++i) {
    const ChartColumn& column = chart.columns[i];
    const double left = ColumnLeft(i);
    drawing->Text(left, kRowsTop - 32, column.title, {13.5, kInk, "start", true});
    drawing->Text(left, kRowsTop - 14, column.note, {11.5, kFaint});
    drawing->Line(left, kRowsTop - 4, left, bottom + 4, kRule, "none");
    if (!column.reference.has_value()) continue;
    const double at = left + LengthOf(*column.reference, column.scale);
    drawing->Line(at, kRowsTop - 4, at, bottom + 4, kRule, "3 3");
  }
}

void DrawRow(const BarChart& chart, size_t index, Drawing* drawing) {
  const ChartRow& row = chart.rows[index];
  const double middle = RowTop(index) + kRowHeight / 2;
  const bool bold = row.tone == ChartTone::kSubject;
  drawing->Text(kMargin + 8, middle + 4.5, row.label, {13, kInk, "start", bold});
  for (size_t i = 0; i < row.bars.size() && i < chart.columns.size(); ++i) {
    const double left = ColumnLeft(i);
    if (!row.bars[i].has_value()) continue;
    if (row.bars[i]->value > 0) {
      DrawBar(*row.bars[i], chart.columns[i], left, middle, row.tone, drawing);
    }
    drawing->Text(left + kColumnWidth - 2, middle + 4.5, row.bars[i]->text,
                  {12.5, kInk, "end", bold});
  }
}

}  // namespace

std::string ToSvg(const BarChart& chart) {
  Drawing drawing;
  const double width = ColumnLeft(chart.columns.size()) - kColumnGap + kMargin;
  const double bottom = RowTop(chart.rows.size());
  const double height = bottom + 30 + static_cast<double>(chart.footnotes.size()) * kFootnoteHeight;
  drawing.Rect(0, 0, width, height, "#ffffff", 8);
  drawing.Text(kMargin, 40, chart.title, {20, kInk, "start", true});
  drawing.Text(kMargin, 64, chart.subtitle, {13, kFaint});
  for (size_t i = 0; i < chart.rows.size(); i += 2) {
    drawing.Rect(kMargin, RowTop(i), width - 2 * kMargin, kRowHeight, kStripe, 0);
  }
  DrawColumns(chart, &drawing);
  for (size_t i = 0; i < chart.rows.size(); ++i) DrawRow(chart, i, &drawing);
  for (size_t i = 0; i < chart.footnotes.size(); ++i) {
    drawing.Text(kMargin, bottom + 30 + static_cast<double>(i) * kFootnoteHeight,
                 chart.footnotes[i], {11.5, kFaint});
  }
  return absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
      "height=\"%.0f\" role=\"img\" font-family=\"system-ui, 'Segoe UI', 'Liberation Sans', Arial, "
      "sans-serif\">\n<title>%s</title>\n<desc>%s</desc>\n%s</svg>\n",
      width, height, width, height, Escaped(chart.title), Escaped(chart.subtitle), drawing.text());
}

}  // namespace sockgate::bench
