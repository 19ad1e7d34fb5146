// Tables that say of each special range what FindSpecialRange() answers at its edges.

#ifndef SOCKGATE_TESTS_BROKER_POLICY_SPECIAL_RANGES_ROWS_H_
#define SOCKGATE_TESTS_BROKER_POLICY_SPECIAL_RANGES_ROWS_H_

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "broker/policy/special_ranges.h"

namespace sockgate {

struct SpecialProbe {
  const char* address;  // empty beyond either end of the address space
  const char* name;     // of the narrowest range; empty for none
};

struct SpecialRow {
  const char* range;
  SpecialProbe before;
  SpecialProbe first;
  SpecialProbe last;
  SpecialProbe after;
};

inline std::string SpecialName(absl::string_view address) {
  const SpecialRange* special = FindSpecialRange(*IpAddress::Parse(address));
  return special == nullptr ? "" : std::string(special->name);
}

inline void ExpectEdges(absl::Span<const SpecialRow> rows) {
  for (const SpecialRow& row : rows) {
    for (const SpecialProbe& probe : {row.before, row.first, row.last, row.after}) {
      if (*probe.address == '\0') continue;
      EXPECT_EQ(SpecialName(probe.address), probe.name) << probe.address << " at " << row.range;
    }
  }
}

// So that nobody adds a range without saying what it does, or loses one.
inline void ExpectAllRanges(absl::Span<const SpecialRow> rows, bool v4) {
  std::multiset<std::string> expected;
  for (const SpecialRow& row : rows) expected.insert(row.range);
  std::multiset<std::string> actual;
  for (const SpecialRange& special : SpecialRanges()) {
    if (special.range.is_v4() == v4) actual.insert(special.range.ToString());
  }
  EXPECT_EQ(actual, expected);
}

}  // namespace sockgate

#endif  // SOCKGATE_TESTS_BROKER_POLICY_SPECIAL_RANGES_ROWS_H_
