// Leases: which names an address has for one worker, and until when. Time is the test's own.

#include "broker/name_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NameBookTest : public ::testing::Test {
 protected:
  static IpAddress Address(const char* text) { return IpAddress::Parse(text).value(); }

  void Lease(const char* address, absl::string_view name, int for_seconds, size_t most = 100) {
    book_.Lease(Address(address), HostName::Parse(name).value(), now_ + seconds(for_seconds), now_,
                most);
  }
  std::vector<std::string> NamesOf(const char* address) {
    std::vector<std::string> names;
    for (const HostName* name : book_.Find(Address(address), now_)) {
      names.emplace_back(name->text());
    }
    return names;
  }

  NameBook book_;
  TimePoint now_ = TimePoint() + seconds(1000);
};

TEST_F(NameBookTest, AnAddressHasTheNamesThatLedToIt) {
  Lease("9.9.9.9", "a.org", 10);
  Lease("9.9.9.9", "b.org", 10);
  Lease("2620:fe::fe", "a.org", 10);
  EXPECT_THAT(NamesOf("9.9.9.9"), ElementsAre("a.org", "b.org"));
  EXPECT_THAT(NamesOf("2620:fe::fe"), ElementsAre("a.org"));
  EXPECT_THAT(NamesOf("9.9.9.10"), IsEmpty());
}

TEST_F(NameBookTest, ALeaseEndsToTheMoment) {
  Lease("9.9.9.9", "a.org", 10);
  Lease("9.9.9.9", "b.org", 20);
  now_ += seconds(10) - std::chrono::nanoseconds(1);
  EXPECT_THAT(NamesOf("9.9.9.9"), ElementsAre("a.org", "b.org"));
  now_ += std::chrono::nanoseconds(1);
  EXPECT_THAT(NamesOf("9.9.9.9"), ElementsAre("b.org"));
  now_ += seconds(10);
  EXPECT_THAT(NamesOf("9.9.9.9"), IsEmpty());
  EXPECT_EQ(book_.size(), 0U);
}

TEST_F(NameBookTest, ASecondLeaseLastsAsLongAsTheLonger) {
  Lease("9.9.9.9", "a.org", 10);
  Lease("9.9.9.9", "a.org", 5);
  EXPECT_EQ(book_.size(), 1U);
  now_ += seconds(7);
  EXPECT_THAT(NamesOf("9.9.9.9"), ElementsAre("a.org"));
  Lease("9.9.9.9", "a.org", 10);
  now_ += seconds(9);
  EXPECT_THAT(NamesOf("9.9.9.9"), ElementsAre("a.org"));
}

TEST_F(NameBookTest, ALeaseForNoTimeIsNone) {
  Lease("9.9.9.9", "a.org", 0);
  EXPECT_EQ(book_.size(), 0U);
}

TEST_F(NameBookTest, WhenFullTheOldestGoes) {
  Lease("9.9.9.1", "a.org", 10, 3);
  Lease("9.9.9.2", "a.org", 10, 3);
  Lease("9.9.9.3", "a.org", 1, 3);
  Lease("9.9.9.1", "a.org", 10, 3);  // as good as new
  Lease("9.9.9.4", "a.org", 10, 3);
  EXPECT_THAT(NamesOf("9.9.9.2"), IsEmpty());
  EXPECT_THAT(NamesOf("9.9.9.1"), ElementsAre("a.org"));
  EXPECT_THAT(NamesOf("9.9.9.3"), ElementsAre("a.org"));
  EXPECT_THAT(NamesOf("9.9.9.4"), ElementsAre("a.org"));
}

TEST_F(NameBookTest, WhatHasEndedTakesNoRoom) {
  Lease("9.9.9.1", "a.org", 10, 2);
  Lease("9.9.9.2", "a.org", 1, 2);
  now_ += seconds(1);
  Lease("9.9.9.3", "a.org", 10, 2);
  EXPECT_THAT(NamesOf("9.9.9.1"), ElementsAre("a.org"));
}

TEST_F(NameBookTest, ALowerBoundHoldsFromTheNextLeaseOn) {
  for (const char* address : {"9.9.9.1", "9.9.9.2", "9.9.9.3"}) Lease(address, "a.org", 10);
  Lease("9.9.9.4", "a.org", 10, 1);
  EXPECT_EQ(book_.size(), 1U);
  EXPECT_THAT(NamesOf("9.9.9.4"), ElementsAre("a.org"));
}

TEST_F(NameBookTest, AnAddressHasOnlySoManyNames) {
  for (size_t i = 0; i <= NameBook::kMostNamesOfAnAddress; ++i) {
    Lease("9.9.9.9", absl::StrCat("n", i, ".org"), 10);
  }
  const std::vector<std::string> names = NamesOf("9.9.9.9");
  ASSERT_EQ(names.size(), NameBook::kMostNamesOfAnAddress);
  EXPECT_EQ(names.front(), "n1.org");
  EXPECT_EQ(names.back(), absl::StrCat("n", NameBook::kMostNamesOfAnAddress, ".org"));
}

}  // namespace
}  // namespace sockgate
