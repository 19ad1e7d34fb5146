#include "tool/text_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sockgate {
namespace {

using ::testing::ElementsAre;
using Side = TextTable::Side;

TEST(TextTable, NumbersKeepToTheRightAndTextToTheLeft) {
  TextTable table({{"NAME", Side::kLeft}, {"COUNT"}, {"WHY", Side::kLeft}});
  table.Add({"a", "1", "x"});
  table.Add({"longer", "1234567", ""});
  EXPECT_THAT(table.Lines(), ElementsAre("NAME      COUNT  WHY",  //
                                         "a             1  x",    //
                                         "longer  1234567"));
}

TEST(TextTable, WithoutRowsThereAreTitles) {
  const TextTable table({{"A"}, {"B"}});
  EXPECT_TRUE(table.empty());
  EXPECT_THAT(table.Lines(), ElementsAre("A  B"));
}

}  // namespace
}  // namespace sockgate
