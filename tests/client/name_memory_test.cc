#include "client/name_memory.h"

#include <gtest/gtest.h>

namespace sockgate {
namespace {

using Names = std::vector<std::string>;

const IpAddress kOne = IpAddress::V4({192, 0, 2, 1});
const IpAddress kTwo = IpAddress::V4({192, 0, 2, 2});

TEST(NameMemoryTest, OnlyLaterBrokersNeedToBeAsked) {
  NameMemory memory;
  memory.Note("a.test", {kOne, kTwo}, 1);
  EXPECT_EQ(memory.UnknownTo(1, kOne), Names());
  EXPECT_EQ(memory.UnknownTo(2, kOne), Names({"a.test"}));
  memory.NoteAsked("a.test", kOne, 2);
  EXPECT_EQ(memory.UnknownTo(2, kOne), Names());
  EXPECT_EQ(memory.UnknownTo(2, kTwo), Names({"a.test"})) << "it was about the other address";
  memory.Note("a.test", {kTwo}, 2);
  EXPECT_EQ(memory.UnknownTo(2, kTwo), Names());
  EXPECT_EQ(memory.UnknownTo(3, kTwo), Names({"a.test"}));
}

TEST(NameMemoryTest, AnAddressThatNoNameLedTo) {
  NameMemory memory;
  memory.NoteAsked("a.test", kOne, 2);
  EXPECT_EQ(memory.UnknownTo(3, kOne), Names());
}

TEST(NameMemoryTest, TheNewestNamesOfAnAddressStay) {
  NameMemory memory;
  for (size_t i = 0; i <= NameMemory::kMostNames; ++i) memory.Note(std::to_string(i), {kOne}, 1);
  memory.Note("2", {kOne}, 1);
  const Names names = memory.UnknownTo(2, kOne);
  ASSERT_EQ(names.size(), NameMemory::kMostNames);
  EXPECT_EQ(names.front(), "2");
  EXPECT_EQ(names.back(), "1") << "0 was the oldest";
}

TEST(NameMemoryTest, TheNewestAddressesStay) {
  NameMemory memory;
  for (size_t i = 0; i <= NameMemory::kMostAddresses; ++i) {
    const auto high = static_cast<uint8_t>(i >> 8);
    memory.Note("a.test", {IpAddress::V4({10, 0, high, static_cast<uint8_t>(i)})}, 1);
  }
  EXPECT_EQ(memory.UnknownTo(2, IpAddress::V4({10, 0, 0, 0})), Names());
  EXPECT_EQ(memory.UnknownTo(2, IpAddress::V4({10, 0, 0, 1})), Names({"a.test"}));
}

}  // namespace
}  // namespace sockgate
