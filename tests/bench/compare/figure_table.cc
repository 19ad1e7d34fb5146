#include "tests/bench/compare/figure_table.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace sockgate::bench {
namespace {

std::vector<size_t> WidthsOf(const FigureTable& table) {
  std::vector<size_t> widths;
  for (const std::string& cell : table.header) widths.push_back(cell.size());
  for (const auto& row : table.rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  return widths;
}

std::string TextLine(const std::vector<std::string>& row, const std::vector<size_t>& widths) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) {
    const int width = static_cast<int>(widths[i]);
    absl::StrAppend(&line, i == 0 ? absl::StrFormat("%-*s", width, row[i])
                                  : absl::StrFormat("  %*s", width, row[i]));
  }
  return line + "\n";
}

std::string MarkdownLine(const std::vector<std::string>& row) {
  return absl::StrCat("| ", absl::StrJoin(row, " | "), " |\n");
}

}  // namespace

std::string ToText(const FigureTable& table) {
  const std::vector<size_t> widths = WidthsOf(table);
  std::string text = TextLine(table.header, widths);
  for (const auto& row : table.rows) absl::StrAppend(&text, TextLine(row, widths));
  return text;
}

std::string ToMarkdown(const FigureTable& table) {
  std::string text = MarkdownLine(table.header);
  absl::StrAppend(&text, "|---|");
  for (size_t i = 1; i < table.header.size(); ++i) absl::StrAppend(&text, "---:|");
  absl::StrAppend(&text, "\n");
  for (const auto& row : table.rows) absl::StrAppend(&text, MarkdownLine(row));
  return text;
}

}  // namespace sockgate::bench
