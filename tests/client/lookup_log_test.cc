#include "client/lookup_log.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;

TEST(LookupLogTest, TheNewestOfANameAfterANumber) {
  const uint64_t start = LastFailedLookup();
  RecordFailedLookup("a.test", ConnectError::Local(Kind::kLookup, ENOENT));
  RecordFailedLookup("b.test.", ConnectError::Local(Kind::kDenied, EACCES));
  RecordFailedLookup("A.test", ConnectError::Local(Kind::kLookup, EAGAIN));
  EXPECT_EQ(LastFailedLookup(), start + 3);
  EXPECT_EQ(FindFailedLookup("a.test.", start)->error.error_number, EAGAIN);
  EXPECT_EQ(FindFailedLookup("b.TEST", start)->error.kind, Kind::kDenied);
  EXPECT_EQ(FindFailedLookup("b.test", start)->name, "b.test.");
  EXPECT_EQ(FindFailedLookup("", start)->name, "A.test");
  EXPECT_FALSE(FindFailedLookup("b.test", start + 2).has_value());
  EXPECT_FALSE(FindFailedLookup("c.test", start).has_value());
  EXPECT_FALSE(FindFailedLookup("", start + 3).has_value());
}

TEST(LookupLogTest, OldOnesAreForgotten) {
  const uint64_t start = LastFailedLookup();
  for (int i = 0; i < 2000; ++i) {
    RecordFailedLookup(absl::StrCat("n", i), ConnectError::Local(Kind::kLookup, ENOENT));
  }
  EXPECT_FALSE(FindFailedLookup("n0", start).has_value());
  EXPECT_TRUE(FindFailedLookup("n1999", start).has_value());
  EXPECT_TRUE(FindFailedLookup("n1000", start).has_value());
}

}  // namespace
}  // namespace sockgate
