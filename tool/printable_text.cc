#include "tool/printable_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace sockgate {

std::string PrintableText(absl::string_view text) {
  std::string printable;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isprint(byte)) {
      printable.push_back(c);
    } else {
      absl::StrAppend(&printable, "\\x", absl::Hex(byte, absl::kZeroPad2));
    }
  }
  return printable;
}

}  // namespace sockgate
