#include "tool/cidr_merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

std::vector<std::string> Merged(const std::vector<std::string>& texts) {
  std::vector<IpAddress> addresses;
  for (const std::string& text : texts) addresses.push_back(*IpAddress::Parse(text));
  std::vector<std::string> ranges;
  for (const Cidr& range : MergeAddresses(addresses)) ranges.push_back(range.ToString());
  return ranges;
}

using Texts = std::vector<std::string>;

TEST(CidrMerge, OfNothingIsNothing) { EXPECT_EQ(Merged({}), Texts({})); }

TEST(CidrMerge, OneAddressIsARangeOfItsOwn) {
  EXPECT_EQ(Merged({"192.0.2.1"}), Texts({"192.0.2.1/32"}));
  EXPECT_EQ(Merged({"2001:db8::1"}), Texts({"2001:db8::1/128"}));
}

TEST(CidrMerge, TheTwoHalvesOfARangeBecomeIt) {
  EXPECT_EQ(Merged({"192.0.2.1", "192.0.2.0"}), Texts({"192.0.2.0/31"}));
  EXPECT_EQ(Merged({"192.0.2.3", "192.0.2.1", "192.0.2.0", "192.0.2.2"}), Texts({"192.0.2.0/30"}));
  EXPECT_EQ(Merged({"2001:db8::ffff", "2001:db8::fffe"}), Texts({"2001:db8::fffe/127"}));
}

TEST(CidrMerge, NeighboursOfDifferentRangesStayApart) {
  EXPECT_EQ(Merged({"192.0.2.1", "192.0.2.2"}), Texts({"192.0.2.1/32", "192.0.2.2/32"}));
  EXPECT_EQ(Merged({"192.0.2.255", "192.0.3.0"}), Texts({"192.0.2.255/32", "192.0.3.0/32"}));
}

TEST(CidrMerge, WhatIsMissingIsNeverIncluded) {
  EXPECT_EQ(Merged({"192.0.2.0", "192.0.2.1", "192.0.2.3"}),
            Texts({"192.0.2.0/31", "192.0.2.3/32"}));
}

TEST(CidrMerge, TakesAnAddressTwice) {
  EXPECT_EQ(Merged({"192.0.2.1", "192.0.2.0", "192.0.2.1"}), Texts({"192.0.2.0/31"}));
}

TEST(CidrMerge, FamiliesAreApartAndInOrder) {
  EXPECT_EQ(Merged({"::1", "0.0.0.1", "::", "0.0.0.0"}), Texts({"0.0.0.0/31", "::/127"}));
  EXPECT_EQ(Merged({"255.255.255.255", "10.0.0.0", "9.0.0.0"}),
            Texts({"9.0.0.0/32", "10.0.0.0/32", "255.255.255.255/32"}));
}

// How few ranges the addresses of `in` from `first` on take, found by halving.
int Fewest(const std::vector<bool>& in, size_t first, size_t size) {
  const auto begin = in.begin() + static_cast<ptrdiff_t>(first);
  const auto end = begin + static_cast<ptrdiff_t>(size);
  const auto count = static_cast<size_t>(std::count(begin, end, true));
  if (count == 0) return 0;
  if (count == size) return 1;
  return Fewest(in, first, size / 2) + Fewest(in, first + size / 2, size / 2);
}

constexpr size_t kSize = 256;

// The addresses of one range, in order.
std::vector<IpAddress> World(bool v4) {
  std::vector<IpAddress> world;
  for (size_t n = 0; n < kSize; ++n) {
    const std::string text =
        v4 ? absl::StrCat("192.0.2.", n) : absl::StrCat("2001:db8::", absl::Hex(0xff00 + n));
    world.push_back(*IpAddress::Parse(text));
  }
  return world;
}

TEST(CidrMerge, HoldsExactlyTheSetInTheFewestRanges) {
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    const std::vector<IpAddress> world = World(round % 2 == 0);
    std::bernoulli_distribution chosen(std::uniform_real_distribution<>(0, 1)(random));
    std::vector<bool> in(kSize);
    std::vector<IpAddress> addresses;
    for (size_t n = 0; n < kSize; ++n) {
      in[n] = chosen(random);
      if (in[n]) addresses.push_back(world[n]);
    }
    std::shuffle(addresses.begin(), addresses.end(), random);
    const std::vector<Cidr> ranges = MergeAddresses(addresses);
    for (size_t n = 0; n < kSize; ++n) {
      const auto holders = std::count_if(ranges.begin(), ranges.end(), [&](const Cidr& range) {
        return range.Contains(world[n]);
      });
      ASSERT_EQ(holders, in[n] ? 1 : 0) << world[n].ToString();
    }
    ASSERT_EQ(static_cast<int>(ranges.size()), Fewest(in, 0, kSize));
  }
}

}  // namespace
}  // namespace sockgate
