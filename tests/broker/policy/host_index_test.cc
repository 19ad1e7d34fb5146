#include "broker/policy/host_index.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

constexpr auto kAllow = Decision::kAllow;

// The rules that speak of the name at port 1, in the order in which they are met.
std::string Met(const std::vector<Rule>& rules, absl::string_view name) {
  PlaceBook places;
  const HostIndex index(rules, &places);
  std::string met;
  index.ForEach(Name(name), [&](Place place) {
    const uint32_t rule = places.Find(place, 1, Transport::kStream).allows;
    if (rule != 0) absl::StrAppend(&met, rule, " ");
  });
  return met;
}

TEST(HostIndexTest, MeetsTheWiderRuleBeforeTheNarrower) {
  const std::vector<Rule> index({OnHost(kAllow, "a.b.example"), OnHost(kAllow, "*.b.example"),
                                 OnHost(kAllow, "*.example"), OnHost(kAllow, "b.example"),
                                 OnHost(kAllow, "a.b.example", "2"), OnCidr(kAllow, "9.9.9.9")});
  EXPECT_EQ(Met(index, "a.b.example"), "3 2 1 ");
  EXPECT_EQ(Met(index, "b.example"), "3 4 ");
  EXPECT_EQ(Met(index, "x.a.b.example"), "3 2 ");
  EXPECT_EQ(Met(index, "example"), "");
  EXPECT_EQ(Met(index, "ab.example"), "3 ");
  EXPECT_EQ(Met(index, "a.b.example.org"), "");
}

TEST(HostIndexTest, TakesTheLongestNames) {
  std::string name = "a";
  while (name.size() + 2 <= kMaxNameBytes) name += ".a";
  ASSERT_EQ(name.size(), 253U);
  const std::vector<Rule> index({OnHost(kAllow, name), OnHost(kAllow, "*.a")});
  EXPECT_EQ(Met(index, name), "2 1 ");
  EXPECT_EQ(Met({}, name), "");
}

}  // namespace
}  // namespace sockgate::testing
