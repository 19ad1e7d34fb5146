#include "tool/fetch/fetch_bar.h"

#include <gtest/gtest.h>

#include <string>

namespace sockgate {
namespace {

FetchTotals Many() {
  FetchTotals totals;
  totals.files = 40;
  totals.done = 20;
  totals.bytes = 3 << 20;
  return totals;
}

FetchTotals One() {
  FetchTotals totals;
  totals.files = 1;
  totals.name = "http://a.example/";
  return totals;
}

TEST(FetchBarTest, CountsFiles) {
  EXPECT_EQ(BarText(Many(), 1 << 20, 0, 60),
            "[============>           ]  20/40 files  3.0 MiB  1.0 MiB/s");
  FetchTotals troubled = Many();
  troubled.failed = 2;
  troubled.waiting = 1;
  EXPECT_EQ(BarText(troubled, 0, 0, 80),
            "[=============>            ]  20/40 files  3.0 MiB  0 B/s  2 failed  1 to retry");
}

TEST(FetchBarTest, KnowsHowLongItTakesWhereSizesAreKnown) {
  FetchTotals one = One();
  one.known = 1;
  one.bytes = one.known_now = 5 << 20;
  one.known_size = 10 << 20;
  const std::string text = BarText(one, 1 << 20, 0, 100);
  EXPECT_NE(text.find("]   50%  5.0 MiB of 10 MiB  1.0 MiB/s  ETA 5s  http://a.example/"),
            std::string::npos)
      << text;
  FetchTotals many = Many();
  many.known = 10;  // and 10 of which nobody knows
  many.known_size = 1 << 20;
  EXPECT_EQ(BarText(many, 1 << 20, 0, 80).find("ETA"), std::string::npos);
}

TEST(FetchBarTest, MovesWhereNothingIsKnown) {
  const std::string first = BarText(One(), 0, 0, 70);
  EXPECT_EQ(first.substr(0, 5), "[<=> ") << first;
  EXPECT_EQ(BarText(One(), 0, 1, 70).substr(0, 5), "[ <=>");
  for (unsigned beat = 0; beat < 200; ++beat) {
    EXPECT_EQ(BarText(One(), 0, beat, 70).size(), first.size());
  }
}

TEST(FetchBarTest, FitsAnyTerminal) {
  FetchTotals totals = Many();
  totals.files = totals.done = totals.failed = 1'000'000;
  totals.bytes = UINT64_MAX;
  FetchTotals one = One();
  one.name = std::string(500, 'x');
  for (size_t columns = 0; columns < 200; ++columns) {
    EXPECT_LT(BarText(totals, 1e30, 7, columns).size(), columns + 1) << columns;
    EXPECT_LT(BarText(one, 1e30, 7, columns).size(), columns + 1) << columns;
  }
  EXPECT_EQ(BarText(Many(), 0, 0, 12), "20/40 files");
}

TEST(FetchBarTest, ObeysNoName) {
  FetchTotals one = One();
  one.name = "http://a/\x1b[2J";
  EXPECT_EQ(BarText(one, 0, 0, 100).find('\x1b'), std::string::npos);
}

TEST(FetchBarTest, SumsUp) {
  EXPECT_EQ(SummaryText(Many(), 3), "20 of 40 files, 3.0 MiB in 3.0s, 1.0 MiB/s");
  FetchTotals failed = Many();
  failed.failed = 5;
  EXPECT_EQ(SummaryText(failed, 3), "15 of 40 files, 5 failed, 3.0 MiB in 3.0s, 1.0 MiB/s");
  FetchTotals one = One();
  EXPECT_EQ(SummaryText(one, 0), "not finished, 0 B in 0us, 0 B/s");
  one.done = 1;
  EXPECT_EQ(SummaryText(one, 0.0005), "done, 0 B in 500us, 0 B/s");
}

}  // namespace
}  // namespace sockgate
