#include "tool/toml_string.h"

#include <gtest/gtest.h>

#include <string>

namespace sockgate {
namespace {

std::string Text(absl::string_view bytes) { return TomlString(bytes).value_or("none"); }

TEST(TomlString, LeavesPlainTextAlone) {
  EXPECT_EQ(Text("/run/app/socket"), R"("/run/app/socket")");
  EXPECT_EQ(Text(""), R"("")");
  EXPECT_EQ(Text("it's # fine"), R"("it's # fine")");
}

TEST(TomlString, EscapesWhatWouldEndTheString) {
  EXPECT_EQ(Text("a\"b"), R"("a\"b")");
  EXPECT_EQ(Text("a\\"), R"("a\\")");
  EXPECT_EQ(Text("a\nb\r\tc"), R"("a\u000ab\u000d\u0009c")");
  EXPECT_EQ(Text(absl::string_view("\0\x7f", 2)), R"("\u0000\u007f")");
}

TEST(TomlString, SpellsOutWhateverAReaderMightNotSee) {
  EXPECT_EQ(Text("\u202e"), R"("\u202e")");  // turns the direction of what follows
  EXPECT_EQ(Text("é"), R"("\u00e9")");
  EXPECT_EQ(Text("\U0001F600"), R"("\U0001f600")");
}

TEST(TomlString, TakesTheFirstAndTheLastCharacterOfEachLength) {
  EXPECT_EQ(Text("\u0080\u07ff"), R"("\u0080\u07ff")");
  EXPECT_EQ(Text("\u0800\uffff"), R"("\u0800\uffff")");
  EXPECT_EQ(Text("\U00010000\U0010ffff"), R"("\U00010000\U0010ffff")");
}

TEST(TomlString, RefusesWhatIsNoUtf8) {
  for (const char* bytes : {
           "\xff", "\x80", "a\xc3",                 // no character, one in its middle, half of one
           "\xc0\xaf", "\xe0\x80\xaf",              // a slash, written longer
           "\xf0\x80\x80\xaf", "\xc1\xbf",          // likewise
           "\xed\xa0\x80", "\xed\xbf\xbf",          // surrogates
           "\xf4\x90\x80\x80", "\xf8\x88\x80\x80",  // beyond the last character
           "\xc3(", "\xe2\x82(", "\xf0\x9f\x98(",   // another character within
       }) {
    EXPECT_EQ(Text(bytes), "none") << bytes;
  }
}

}  // namespace
}  // namespace sockgate
