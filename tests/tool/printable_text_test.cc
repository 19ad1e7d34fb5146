#include "tool/printable_text.h"

#include <gtest/gtest.h>

namespace sockgate {
namespace {

TEST(PrintableText, LeavesPrintableAsciiAlone) {
  EXPECT_EQ(PrintableText("/run/app \"x\" 'y' \\z~"), "/run/app \"x\" 'y' \\z~");
  EXPECT_EQ(PrintableText(""), "");
}

TEST(PrintableText, SpellsOutWhatATerminalObeys) {
  EXPECT_EQ(PrintableText("\033[2J\033]0;title\a"), "\\x1b[2J\\x1b]0;title\\x07");
  EXPECT_EQ(PrintableText("a\nb\r\tc\x7f"), "a\\x0ab\\x0d\\x09c\\x7f");
  EXPECT_EQ(PrintableText(absl::string_view("\0", 1)), "\\x00");
}

TEST(PrintableText, SpellsOutWhatIsNoAscii) {
  EXPECT_EQ(PrintableText("\xc2\x9b"), "\\xc2\\x9b");  // CSI, as one character of UTF-8
  EXPECT_EQ(PrintableText("\u202e\u202c"),
            "\\xe2\\x80\\xae\\xe2\\x80\\xac");         // turns the direction
  EXPECT_EQ(PrintableText("\xff\x9b"), "\\xff\\x9b");  // no UTF-8 at all
  for (int byte = 0; byte < 256; ++byte) {
    for (const char c : PrintableText(std::string(1, static_cast<char>(byte)))) {
      EXPECT_TRUE(c >= ' ' && c <= '~') << byte;
    }
  }
}

}  // namespace
}  // namespace sockgate
