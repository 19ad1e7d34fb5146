// FigureTable: a table of short texts, for a terminal and for Markdown.

#ifndef SOCKGATE_TESTS_BENCH_COMPARE_FIGURE_TABLE_H_
#define SOCKGATE_TESTS_BENCH_COMPARE_FIGURE_TABLE_H_

#include <string>
#include <vector>

namespace sockgate::bench {

// All rows have as many cells as the header.
struct FigureTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

// Columns aligned, the first to the left, the others to the right.
std::string ToText(const FigureTable& table);
std::string ToMarkdown(const FigureTable& table);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_COMPARE_FIGURE_TABLE_H_
