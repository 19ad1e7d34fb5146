#include "tool/bounded_lines.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace sockgate {
namespace {

std::vector<std::string> LinesOf(std::string text) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      fmemopen(text.data(), text.size(), "r"), &std::fclose);
  BoundedLines lines(file.get());
  std::vector<std::string> all;
  while (lines.Next()) {
    EXPECT_EQ(lines.number(), all.size() + 1);
    all.push_back(lines.too_long() ? "too long" : std::string(lines.line()));
  }
  return all;
}

using Lines = std::vector<std::string>;

TEST(BoundedLines, EndWithALineFeedOrTheFile) {
  EXPECT_EQ(LinesOf("a\nb\n"), Lines({"a", "b"}));
  EXPECT_EQ(LinesOf("a\n\nb"), Lines({"a", "", "b"}));
  EXPECT_EQ(LinesOf("\n"), Lines({""}));
}

TEST(BoundedLines, KeepWhateverBytesAreInThem) {
  const std::string bytes("a\0\xff\r", 4);
  EXPECT_EQ(LinesOf(bytes + "\nb"), Lines({bytes, "b"}));
}

TEST(BoundedLines, GoOverALineThatIsTooLong) {
  const std::string longest(BoundedLines::kMaxBytes, 'x');
  EXPECT_EQ(LinesOf(longest + "\nb\n"), Lines({longest, "b"}));
  EXPECT_EQ(LinesOf(longest + "y\nb\n"), Lines({"too long", "b"}));
  EXPECT_EQ(LinesOf("a\n" + longest + longest), Lines({"a", "too long"}));
}

}  // namespace
}  // namespace sockgate
