#include "broker/policy/address_index.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

// An index of these ranges, one rule on each.
class Index {
 public:
  explicit Index(const std::vector<const char*>& cidrs) {
    for (const char* cidr : cidrs) rules_.push_back(OnCidr(Decision::kAllow, cidr));
    index_.emplace(rules_, std::vector<Cidr>(), &places_);
  }

  // The ranges around an address, the narrowest first.
  std::string Around(const char* address) const {
    std::vector<std::string> ranges;
    const AddressIndex::Range* range = index_->Narrowest(IpAddress::Parse(address).value());
    for (; range != nullptr; range = index_->Around(*range)) ranges.push_back(NameOf(*range));
    return absl::StrJoin(ranges, " ");
  }

 private:
  std::string NameOf(const AddressIndex::Range& range) const {
    const uint32_t rule = places_.Find(range.place, 1, Transport::kStream).allows;
    if (rule != 0) return std::get<Cidr>(rules_[rule - 1].target).ToString();
    return range.special_range()->range.ToString();
  }

  std::vector<Rule> rules_;
  PlaceBook places_;
  std::optional<AddressIndex> index_;
};

TEST(AddressIndexTest, KnowsTheSpecialRangesAlone) {
  const Index index({});
  EXPECT_EQ(index.Around("9.9.9.9"), "");
  EXPECT_EQ(index.Around("2620:fe::fe"), "");
  EXPECT_EQ(index.Around("10.1.2.3"), "10.0.0.0/8");
  EXPECT_EQ(index.Around("169.254.169.254"), "169.254.169.254/32 169.254.0.0/16");
  EXPECT_EQ(index.Around("169.254.169.255"), "169.254.0.0/16");
  EXPECT_EQ(index.Around("::1"), "::1/128 ::/96 ::/3");
}

TEST(AddressIndexTest, RangesNest) {
  const Index index({"9.9.9.9", "9.9.0.0/16", "9.9.9.0/24", "0.0.0.0/0"});
  EXPECT_EQ(index.Around("9.9.9.9"), "9.9.9.9/32 9.9.9.0/24 9.9.0.0/16 0.0.0.0/0");
  EXPECT_EQ(index.Around("9.9.9.8"), "9.9.9.0/24 9.9.0.0/16 0.0.0.0/0");
  EXPECT_EQ(index.Around("9.9.9.10"), "9.9.9.0/24 9.9.0.0/16 0.0.0.0/0");
  EXPECT_EQ(index.Around("9.9.10.0"), "9.9.0.0/16 0.0.0.0/0");
  EXPECT_EQ(index.Around("9.8.255.255"), "0.0.0.0/0");
  EXPECT_EQ(index.Around("9.10.0.0"), "0.0.0.0/0");
  EXPECT_EQ(index.Around("2620:fe::fe"), "");
}

TEST(AddressIndexTest, EndsAtTheEndsOfTheAddressSpace) {
  const Index index({"0.0.0.0", "255.255.255.255", "::/0"});
  EXPECT_EQ(index.Around("0.0.0.0"), "0.0.0.0/32 0.0.0.0/8");
  EXPECT_EQ(index.Around("0.0.0.1"), "0.0.0.0/8");
  EXPECT_EQ(index.Around("255.255.255.255"), "255.255.255.255/32 240.0.0.0/4");
  EXPECT_EQ(index.Around("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "ff00::/8 8000::/1 ::/0");
}

TEST(AddressIndexTest, RangesSideBySideDoNotTouch) {
  const Index index({"9.0.0.0/25", "9.0.0.128/25", "2620::/64", "2620:0:0:1::/64"});
  EXPECT_EQ(index.Around("9.0.0.127"), "9.0.0.0/25");
  EXPECT_EQ(index.Around("9.0.0.128"), "9.0.0.128/25");
  EXPECT_EQ(index.Around("9.0.1.0"), "");
  EXPECT_EQ(index.Around("2620::ffff:ffff:ffff:ffff"), "2620::/64");
  EXPECT_EQ(index.Around("2620:0:0:1::"), "2620:0:0:1::/64");
  EXPECT_EQ(index.Around("2620:0:0:2::"), "");
}

TEST(AddressIndexTest, ARangeThatSeveralNameIsOne) {
  PlaceBook places;
  const AddressIndex index(
      {OnCidr(Decision::kAllow, "10.0.0.0/8", "80"), OnCidr(Decision::kDeny, "10.0.0.0/8", "25")},
      {Cidr::Parse("10.0.0.0/8").value()}, &places);
  const AddressIndex::Range* range = index.Narrowest(IpAddress::Parse("10.0.0.1").value());
  ASSERT_NE(range, nullptr);
  EXPECT_EQ(index.Around(*range), nullptr);
  EXPECT_TRUE(range->own);
  ASSERT_NE(range->special_range(), nullptr);
  EXPECT_EQ(range->special_range()->range.ToString(), "10.0.0.0/8");
  EXPECT_EQ(places.Find(range->place, 80, Transport::kStream).allows, 1U);
  EXPECT_EQ(places.Find(range->place, 25, Transport::kStream).denies, 2U);
}

}  // namespace
}  // namespace sockgate::testing
