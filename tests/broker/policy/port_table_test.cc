#include "broker/policy/port_table.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

constexpr auto kAllow = Decision::kAllow;
constexpr auto kDeny = Decision::kDeny;

// About one place, whichever.
Rule On(Decision decision, absl::string_view ports = "*") {
  return *Rule::Parse(decision, absl::StrCat("0.0.0.0/0:", ports));
}

PortTable Table(const std::vector<Rule>& rules) {
  std::vector<const Rule*> pointers;
  for (const Rule& rule : rules) pointers.push_back(&rule);
  return PortTable(pointers);
}

// "denies allows private", in numbers of rules.
std::string Found(const PortTable& table, uint16_t port, Transport transport = Transport::kStream) {
  const PortRules found = table.Find(port, transport);
  return absl::StrCat(found.denies, " ", found.allows, " ", found.allows_private);
}

TEST(PortTableTest, IsEmptyAtFirst) {
  for (const uint16_t port : {0, 1, 443, 65535}) EXPECT_EQ(Found(Table({}), port), "0 0 0");
}

TEST(PortTableTest, ARangeBeginsAndEndsToThePort) {
  const PortTable table = Table({On(kAllow, "80,8000-8100"), On(kDeny, "65535")});
  EXPECT_EQ(Found(table, 79), "0 0 0");
  EXPECT_EQ(Found(table, 80), "0 1 0");
  EXPECT_EQ(Found(table, 81), "0 0 0");
  EXPECT_EQ(Found(table, 7999), "0 0 0");
  EXPECT_EQ(Found(table, 8000), "0 1 0");
  EXPECT_EQ(Found(table, 8100), "0 1 0");
  EXPECT_EQ(Found(table, 8101), "0 0 0");
  EXPECT_EQ(Found(table, 65534), "0 0 0");
  EXPECT_EQ(Found(table, 65535), "2 0 0");
}

TEST(PortTableTest, TheLowestNumberOfEachKindIsFound) {
  const PortTable table = Table({On(kAllow, "1-100"), On(kAllow, "50-150"), On(kDeny, "90-110"),
                                 On(kDeny, "100-120"), Private(On(kAllow, "95-96"))});
  EXPECT_EQ(Found(table, 1), "0 1 0");
  EXPECT_EQ(Found(table, 95), "3 1 5");
  EXPECT_EQ(Found(table, 101), "3 2 0");
  EXPECT_EQ(Found(table, 111), "4 2 0");
  EXPECT_EQ(Found(table, 121), "0 2 0");
  EXPECT_EQ(Found(table, 151), "0 0 0");
}

TEST(PortTableTest, PortsThatARuleNamesTwiceHoldToTheLast) {
  const PortTable table = Table({On(kAllow, "10-20,15-30,15")});
  EXPECT_EQ(Found(table, 15), "0 1 0");
  EXPECT_EQ(Found(table, 21), "0 1 0");
  EXPECT_EQ(Found(table, 31), "0 0 0");
}

TEST(PortTableTest, TransportsAreApart) {
  const PortTable table = Table({On(kAllow, "53"), Udp(On(kAllow, "53")), On(kDeny, "54")});
  EXPECT_EQ(Found(table, 53), "0 1 0");
  EXPECT_EQ(Found(table, 53, Transport::kDatagram), "0 2 0");
  EXPECT_EQ(Found(table, 54), "3 0 0");
  EXPECT_EQ(Found(table, 54, Transport::kDatagram), "3 0 0");
}

TEST(PortTableTest, KnowsWhatHoldsForSomePortAndForAll) {
  EXPECT_EQ(Table({On(kDeny)}).allows_any(), 0U);
  EXPECT_EQ(Table({On(kDeny), On(kAllow, "1"), On(kAllow)}).allows_any(), 2U);
  EXPECT_EQ(Table({On(kDeny, "1-65534")}).denies_all(), 0U);
  EXPECT_EQ(Table({Udp(On(kDeny))}).denies_all(), 0U);
  EXPECT_EQ(Table({On(kAllow), On(kDeny)}).denies_all(), 2U);
}

}  // namespace
}  // namespace sockgate::testing
