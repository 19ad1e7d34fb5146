#include "tool/text_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/check.h"

namespace sockgate {

TextTable::TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (const Column& column : columns_) widths_.push_back(column.title.size());
}

void TextTable::Add(Row row) {
  SOCKGATE_CHECK(row.size() == columns_.size());
  for (size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], row[i].size());
  rows_.push_back(std::move(row));
}

std::vector<std::string> TextTable::Lines() const {
  Row titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  std::vector<std::string> lines = {Line(titles)};
  for (const Row& row : rows_) lines.push_back(Line(row));
  return lines;
}

std::string TextTable::Line(const Row& row) const {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) {
    const std::string room(widths_[i] - row[i].size(), ' ');
    const bool left = columns_[i].side == Side::kLeft;
    absl::StrAppend(&line, i == 0 ? "" : "  ", left ? "" : room, row[i], left ? room : "");
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace sockgate
