// What is no TOML at all, and what toml11 must not see.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/broker/policy/load_policy.h"

namespace sockgate::testing {
namespace {

using ::testing::ElementsAre;

struct Row {
  std::string text;
  std::string finding;
};

std::string Repeat(absl::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) absl::StrAppend(&text, piece);
  return text;
}

void Check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    EXPECT_THAT(FindingsIn(row.text), ElementsAre(row.finding)) << row.text.substr(0, 200);
  }
}

TEST(PolicySyntaxTest, NamesThePlaceOfAFault) {
  Check({
      {"version", "error 1:8 there is no '=' after the key (write key = value)"},
      {"version 1", "error 1:8 there is no '=' after the key (write key = value)"},
      {"= 3", "error 1:1 there is no key before '=' (write key = value)"},
      {"version =", "error 1:10 there is no value after '=' (write key = value)"},
      {"\nx = foo", "error 2:5 this is no value (write true, false, a number, or text in quotes)"},
      {"x = tru", "error 1:5 this is no value (write true, false, a number, or text in quotes)"},
      {"x = 012", "error 1:5 a number begins with 0 (write it in quotes, or without the zero)"},
      {"x = [1 2]",
       "error 1:8 a comma is missing between two values"
       " (write ',' after each value)"},
      {"x = {a = 1 b = 2}",
       "error 1:12 a comma is missing between two keys"
       " (write ',' after each value, and '}' at the end)"},
      {"x = {a = 1, }", "error 1:13 an inline table ends with a comma (remove the comma)"},
      {"x = 1 y = 2",
       "error 1:7 there is more in the line than one key and its value"
       " (write one in each line)"},
      {"[roles.a] x = 1",
       "error 1:10 there is more in the line than the table's name"
       " (write keys in the lines after it)"},
  });
}

TEST(PolicySyntaxTest, NothingIsWrittenTwice) {
  Check({
      {"version = 1\nversion = 1", "error 2:1 'version' is written twice (write it once)"},
      {"[roles.a]\n[roles.a]", "error 2:1 'roles.a' is written twice (write it once)"},
      {"x = {a = 1, a = 2}", "error 1:13 'a' is written twice (write it once)"},
      {"roles.a = { mode = \"report\" }\n[roles.a.limits]",
       "error 2:1 this adds to a table that is closed"
       " (write the key between the table's braces)"},
  });
}

TEST(PolicySyntaxTest, TokensAreWhole) {
  Check({
      {"x = \"a\ny = 1", "error 1:5 the string is not closed (write \" at its end)"},
      {"x = 'a", "error 1:5 the string is not closed (write ' at its end)"},
      {"x = \"a\\q\"",
       "error 1:7 this backslash begins no escape sequence"
       " (write \\\\ for a backslash)"},
      {"x = \"\\ud800\"",
       "error 1:6 this backslash begins no escape sequence"
       " (write \\\\ for a backslash)"},
      {"x = [\n1,", "error 1:5 this '[' is never closed (write ']' after its last value)"},
      {"x = {a = 1\n}",
       "error 1:5 an inline table goes on in the next line"
       " (write it in one line)"},
      {"x = \"\"\"a\n\"\"\"",
       "error 1:5 a string over several lines has no use here"
       " (write it in one line)"},
  });
}

TEST(PolicySyntaxTest, BytesAreText) {
  const std::string nul(1, '\0');
  Check({
      {"# \xFF", "error 1:3 these bytes are not UTF-8 (save the file as UTF-8)"},
      {"x = \"\xC0\x80\"", "error 1:6 these bytes are not UTF-8 (save the file as UTF-8)"},
      {"x = \"\xED\xA0\x80\"", "error 1:6 these bytes are not UTF-8 (save the file as UTF-8)"},
      {"x = \"ü\xFC\"", "error 1:7 these bytes are not UTF-8 (save the file as UTF-8)"},
      {"x = 1" + nul, "error 1:6 there is a control character (remove it)"},
      {"# \x1B[2J", "error 1:3 there is a control character (remove it)"},
      {"x = 1\ry = 2", "error 1:6 there is a control character (remove it)"},
  });
}

// A reviewer's editor would show the rule on a line of its own, and TOML has it in the comment.
TEST(PolicySyntaxTest, NothingIsHiddenFromWhoeverReads) {
  const std::string finding =
      " there is a character that makes text look like another one"
      " (remove it, or write its escape in a string)";
  Check({
      {"# shop\u2028{ cidr = \"8.8.8.8\" },", "error 1:7" + finding},
      {"# shop\u0085x", "error 1:7" + finding},
      {"x = \"\u202e\"", "error 1:6" + finding},
      {"x = \"\u2066\"", "error 1:6" + finding},
      {"\ufeff\ufeffx = 1", "error 1:1" + finding},
  });
  EXPECT_THAT(FindingsIn(WithRules("allow = [ { host = \"a\\u202eb\", ports = 1 } ]")),
              ElementsAre(::testing::HasSubstr(R"('a\xe2\x80\xae\x62')")));
}

TEST(PolicySyntaxTest, AListInATableOrTheOtherWayRoundIsNamed) {
  Check({
      {"x = [ { a = 1 ]", "error 1:7 this '{' is never closed (write '}' after its last value)"},
      {"x = [ 1 }", "error 1:5 this '[' is never closed (write ']' after its last value)"},
  });
}

// toml11 is recursive, and its documents are destroyed recursively.
TEST(PolicySyntaxTest, NestingIsBounded) {
  const std::string deep = "arrays and tables are nested too deep (write no more than 8 levels)";
  const std::string dots = "too many dots (write at most 8 parts, and text in quotes)";
  Check({
      {"x = " + Repeat("[", 100'000), "error 1:13 " + deep},
      {"x = " + Repeat("[\n", 100'000), "error 9:1 " + deep},
      {"x = " + Repeat("{a=", 100'000), "error 1:29 " + deep},
      {Repeat("[", 100'000), "error 1:9 " + deep},
      {"a" + Repeat(".a", 100'000) + " = 1", "error 1:16 " + dots},
      {"[a" + Repeat(" . \"a\"", 100'000) + "]", "error 1:46 " + dots},
  });
}

TEST(PolicySyntaxTest, LinesAndWordsAreBounded) {
  const std::string line =
      "error 1:1 the line is longer than 4096 bytes"
      " (write a new line after each rule or element)";
  const std::string word = "error 1:5 a word is longer than 64 bytes (write text in quotes)";
  Check({
      {"x = \"" + std::string(4096, 'a') + "\"", line},
      {"#" + std::string(4096, 'a') + "\nx", line},
      {"x = 0b" + std::string(63, '1'), word},
      {"x = " + std::string(65, '9'), word},
  });
}

// toml11 would read before the array's start.
TEST(PolicySyntaxTest, AnEmptyArrayHasNoLastTable) {
  Check({{"a = []\n[a.b]\n",
          "error 1:1 a table's name leads into an empty array"
          " (write the table into the array)"}});
}

}  // namespace
}  // namespace sockgate::testing
