#include "broker/policy/port_set.h"

#include <gtest/gtest.h>

#include <string>

namespace sockgate {
namespace {

// How many of all ports `text` covers, 0 included; -1 when it does not parse.
int Count(absl::string_view text) {
  const auto set = PortSet::Parse(text);
  if (!set.has_value()) return -1;
  int count = 0;
  for (int port = 0; port <= UINT16_MAX; ++port) {
    if (set->Contains(static_cast<uint16_t>(port))) ++count;
  }
  return count;
}

bool Contains(absl::string_view text, uint16_t port) {
  return PortSet::Parse(text)->Contains(port);
}

TEST(PortSetTest, CoversOnePort) {
  EXPECT_EQ(Count("443"), 1);
  EXPECT_TRUE(Contains("443", 443));
  EXPECT_EQ(Count("1"), 1);
  EXPECT_EQ(Count("65535"), 1);
}

TEST(PortSetTest, CoversAListOfPortsAndRanges) {
  EXPECT_EQ(Count("80,443"), 2);
  EXPECT_EQ(Count("8000-8100,9000"), 102);
  EXPECT_TRUE(Contains("8000-8100,9000", 8000));
  EXPECT_TRUE(Contains("8000-8100,9000", 8100));
  EXPECT_TRUE(Contains("8000-8100,9000", 9000));
  EXPECT_FALSE(Contains("8000-8100,9000", 7999));
  EXPECT_FALSE(Contains("8000-8100,9000", 8101));
  EXPECT_EQ(Count("80-80"), 1);
  EXPECT_EQ(Count("1-65535"), 65535);
}

TEST(PortSetTest, AStarIsEveryPortButZero) {
  EXPECT_EQ(Count("*"), 65535);
  EXPECT_FALSE(Contains("*", 0));
  EXPECT_TRUE(Contains("*", 65535));
}

TEST(PortSetTest, CountsAnOverlapOnce) {
  EXPECT_EQ(Count("80-90,85-95,85"), 16);
  EXPECT_EQ(Count("80,*"), 65535);
}

TEST(PortSetTest, RefusesEveryOtherSpelling) {
  const std::string kTable[] = {
      "",
      ",",
      "80,",
      ",80",
      "80,,443",
      "0",
      "0-80",
      "80-0",
      "443-80",
      "65536",
      "1-65536",
      "100000",
      "4294967376",
      "18446744073709551696",
      "-80",
      "-",
      "80-",
      "1-2-3",
      "80--90",
      "+80",
      "80-+90",
      " 80",
      "80 ",
      "80, 443",
      "8 0",
      "080",
      "00443",
      "01-80",
      "1-080",
      "0x50",
      "80.0",
      "8e1",
      "http",
      "**",
      "*-80",
      "80-*",
      "\xd9\xa8",
      "80;443",
      "80\n",
      std::string("80\0", 3),
      std::string("80\0,443", 7),
  };
  for (const std::string& text : kTable) EXPECT_EQ(Count(text), -1) << "'" << text << "'";
}

}  // namespace
}  // namespace sockgate
