#include "tool/fetch/terminal_text.h"

#include <gtest/gtest.h>

#include <string>

namespace sockgate {
namespace {

std::string Shown(absl::string_view text) {
  TerminalText shown;
  const std::string first = shown.Add(text);
  return first + shown.End();
}

TEST(TerminalTextTest, LettersOfAllKindsStay) {
  for (const char* text : {"plain\ttext\n", "gr\xc3\xbc\xc3\x9f", "\xe6\x97\xa5\xe6\x9c\xac",
                           "\xf0\x9f\x98\x80", ""}) {
    EXPECT_EQ(Shown(text), text);
  }
}

TEST(TerminalTextTest, NothingIsObeyed) {
  EXPECT_EQ(Shown("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(Shown("a\rb\bc\x07\x7f"), "a\\x0db\\x08c\\x07\\x7f");
  EXPECT_EQ(Shown("\xc2\x9b"
                  "31m"),
            "\\xc2\\x9b31m");                                 // CSI of C1
  EXPECT_EQ(Shown("\xe2\x80\xaegpj"), "\\xe2\\x80\\xaegpj");  // right to left
  EXPECT_EQ(Shown(absl::string_view("\0", 1)), "\\x00");
}

TEST(TerminalTextTest, WhatIsNoUtf8IsSpelledOut) {
  EXPECT_EQ(Shown("\x9b"
                  "31m"),
            "\\x9b31m");
  EXPECT_EQ(Shown("\xc0\x9b"), "\\xc0\\x9b");  // a longer form of ESC
  EXPECT_EQ(Shown("\xe0\x80\x9b"), "\\xe0\\x80\\x9b");
  EXPECT_EQ(Shown("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(Shown("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(Shown("\xe2\x28"), "\\xe2(");
  EXPECT_EQ(Shown("end \xe2\x82"), "end \\xe2\\x82");
}

TEST(TerminalTextTest, ACharacterMayComeInPieces) {
  const std::string text =
      "a\xf0\x9f\x98\x80"
      "b\xe2\x80\xae"
      "c\x1b";
  const std::string whole = Shown(text);
  for (size_t i = 0; i <= text.size(); ++i) {
    for (size_t j = i; j <= text.size(); ++j) {
      TerminalText pieces;
      std::string shown = pieces.Add(text.substr(0, i));
      shown += pieces.Add(text.substr(i, j - i));
      shown += pieces.Add(text.substr(j));
      EXPECT_EQ(shown + pieces.End(), whole) << i << " " << j;
    }
  }
}

TEST(TerminalTextTest, ALineHasNoLineFeeds) {
  EXPECT_EQ(TerminalLine("a\nb\tc\xe2\x82"), "a\\x0ab\\x09c\\xe2\\x82");
}

}  // namespace
}  // namespace sockgate
