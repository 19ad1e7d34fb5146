// TextTable: rows of text under their titles, each column as wide as it needs to be.
//
// Process: the operator's command. Pure. Cells are taken for a column of the screen for each byte,
// so what others chose goes through PrintableText() first.

#ifndef SOCKGATE_TOOL_TEXT_TABLE_H_
#define SOCKGATE_TOOL_TEXT_TABLE_H_

#include <string>
#include <vector>

namespace sockgate {

class TextTable {
 public:
  // To which side a column's cells keep: numbers are compared by their last digits.
  enum class Side { kLeft, kRight };
  struct Column {
    std::string title;
    Side side = Side::kRight;
  };
  using Row = std::vector<std::string>;

  explicit TextTable(std::vector<Column> columns);

  // A cell for each column.
  void Add(Row row);

  bool empty() const { return rows_.empty(); }
  // The titles and the rows, without spaces at their ends.
  std::vector<std::string> Lines() const;

 private:
  std::string Line(const Row& row) const;

  const std::vector<Column> columns_;
  std::vector<size_t> widths_;
  std::vector<Row> rows_;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_TEXT_TABLE_H_
