// SourceText: the text of a policy file, and where in it an offset stands.
//
// Process: broker, when it loads a policy, and the tools. Lends the text, which must outlive it.

#ifndef SOCKGATE_BROKER_POLICY_SOURCE_TEXT_H_
#define SOCKGATE_BROKER_POLICY_SOURCE_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

namespace sockgate {

class SourceText {
 public:
  struct Position {
    uint32_t line;    // from 1
    uint32_t column;  // from 1, in characters
  };

  // Without the byte order mark, if there is one.
  explicit SourceText(absl::string_view text);

  absl::string_view text() const { return text_; }
  // The one after the last byte is a position too.
  Position At(size_t offset) const;
  // Without its end; empty when there is no such line.
  absl::string_view Line(uint32_t line) const;
  // The text's end when there is no such line.
  size_t StartOf(uint32_t line) const;

 private:
  absl::string_view text_;
  std::vector<size_t> line_starts_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_SOURCE_TEXT_H_
