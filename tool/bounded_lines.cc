#include "tool/bounded_lines.h"

namespace sockgate {

bool BoundedLines::Next() {
  line_.clear();
  too_long_ = false;
  int c = getc_unlocked(file_);
  if (c == EOF) return false;
  ++number_;
  for (; c != '\n' && c != EOF; c = getc_unlocked(file_)) {
    too_long_ = line_.size() == kMaxBytes;
    if (!too_long_) line_.push_back(static_cast<char>(c));
  }
  return true;
}

}  // namespace sockgate
