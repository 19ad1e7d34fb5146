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

std::string Printed(absl::string_view text) { return PortSet::Parse(text)->ToString(); }

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

TEST(PortSetTest, PrintsWhatItCovers) {
  EXPECT_EQ(Printed("443"), "443");
  EXPECT_EQ(Printed("80,443,8000-8100"), "80,443,8000-8100");
  EXPECT_EQ(Printed("443,80"), "80,443");
  EXPECT_EQ(Printed("80,81,83"), "80-81,83");
  EXPECT_EQ(Printed("80-80"), "80");
  EXPECT_EQ(Printed("80-90,85"), "80-90");
  EXPECT_EQ(Printed("*"), "*");
  EXPECT_EQ(Printed("1-65535"), "*");
  EXPECT_EQ(Printed("32768-65535,1-32767"), "*");
  EXPECT_EQ(Printed("80,*"), "*");
  EXPECT_EQ(PortSet().ToString(), "");
}

TEST(PortSetTest, ShowsItsRanges) {
  const auto set = PortSet::Parse("443,8000-8100");
  ASSERT_EQ(set->ranges().size(), 2u);
  EXPECT_EQ(set->ranges()[0].first, 443);
  EXPECT_EQ(set->ranges()[0].last, 443);
  EXPECT_EQ(set->ranges()[1].first, 8000);
  EXPECT_EQ(set->ranges()[1].last, 8100);
}

TEST(PortSetTest, KnowsAllPorts) {
  for (const char* text : {"*", "1-65535", "80,*", "2-65535,1", "1-100,50-200,201-65535"}) {
    EXPECT_TRUE(PortSet::Parse(text)->all()) << text;
  }
  for (const char* text : {"1-65534", "2-65535", "1-99,101-65535", "443"}) {
    EXPECT_FALSE(PortSet::Parse(text)->all()) << text;
  }
  EXPECT_FALSE(PortSet().all());
}

TEST(PortSetTest, CoversAndOverlaps) {
  const struct {
    const char* set;
    const char* other;
    bool covers;
    bool overlaps;
  } kTable[] = {
      {"80", "80", true, true},
      {"80", "443", false, false},
      {"80,443", "443", true, true},
      {"443", "80,443", false, true},
      {"80-90", "85", true, true},
      {"80-90", "80-90", true, true},
      {"80-90", "80-91", false, true},
      {"80-90", "79-90", false, true},
      {"80-90", "91-99", false, false},
      {"80-90", "70-79", false, false},
      {"80-85,86-90", "80-90", true, true},
      {"86-90,80-85", "84-87", true, true},
      {"80-87,84-90", "80-90", true, true},
      {"80-84,86-90", "80-90", false, true},
      {"80-84,86-90", "85", false, false},
      {"*", "1,65535", true, true},
      {"*", "*", true, true},
      {"1-65534", "*", false, true},
      {"1-65534,65535", "*", true, true},
      {"65535", "65535", true, true},
  };
  for (const auto& row : kTable) {
    const auto set = PortSet::Parse(row.set);
    const auto other = PortSet::Parse(row.other);
    EXPECT_EQ(set->Covers(*other), row.covers) << row.set << " " << row.other;
    EXPECT_EQ(set->Overlaps(*other), row.overlaps) << row.set << " " << row.other;
    EXPECT_EQ(other->Overlaps(*set), row.overlaps) << row.set << " " << row.other;
  }
}

TEST(PortSetTest, AnEmptySetIsCoveredByEachAndOverlapsNone) {
  EXPECT_TRUE(PortSet::Parse("80")->Covers(PortSet()));
  EXPECT_FALSE(PortSet().Covers(*PortSet::Parse("80")));
  EXPECT_FALSE(PortSet().Overlaps(*PortSet::Parse("*")));
  EXPECT_FALSE(PortSet::Parse("*")->Overlaps(PortSet()));
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
