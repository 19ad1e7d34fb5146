// BoundedLines: the lines of a file, in memory that no line can make larger.
//
// Process: the command, unconfined. The file is lent.
// Hostile input: the file.

#ifndef SOCKGATE_TOOL_BOUNDED_LINES_H_
#define SOCKGATE_TOOL_BOUNDED_LINES_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/strings/string_view.h"

namespace sockgate {

class BoundedLines {
 public:
  // A longer line is gone over; too_long() says so.
  static constexpr size_t kMaxBytes = size_t{64} * 1024;

  explicit BoundedLines(std::FILE* file) : file_(file) {}

  // On to the next line; false at the end of the file or when it cannot be read, which
  // ferror(3) tells. A last line without a line feed is a line too.
  bool Next();

  // Without its line feed; what there is of it when it is too long. Valid until Next().
  absl::string_view line() const { return line_; }
  bool too_long() const { return too_long_; }
  // From 1.
  uint64_t number() const { return number_; }

 private:
  std::FILE* const file_;
  std::string line_;
  bool too_long_ = false;
  uint64_t number_ = 0;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_BOUNDED_LINES_H_
