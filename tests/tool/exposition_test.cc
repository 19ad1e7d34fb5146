// The validator itself: what it must not let pass.

#include "tests/tool/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sockgate::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

const char kHead[] = "# HELP x_total Some help.\n# TYPE x_total counter\n";
const char kHistogram[] = "# HELP h Some help.\n# TYPE h histogram\n";

TEST(Exposition, LetsAGoodTextPass) {
  const Exposition good(std::string(kHead) +
                        "x_total{a=\"\\\\ \\\" \\n é\",b=\"\"} 1.5\nx_total 2e+10\n" + kHistogram +
                        "h_bucket{le=\"0.1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 0.3\nh_count 2\n");
  EXPECT_THAT(good.faults(), IsEmpty());
  EXPECT_EQ(good.types().at("h"), "histogram");
  EXPECT_EQ(good.At("x_total"), 2e10);
  EXPECT_TRUE(std::isnan(good.At("y")));
}

TEST(Exposition, FindsWhatIsWrongWithASample) {
  for (const char* sample : {"x_total",
                             "x_total ",
                             "x_total 1 ",
                             "x_total one",
                             "x_total -1",
                             "x-total 1",
                             "1x 1",
                             "y_total 1",
                             "x_total{} 1",
                             "x_total{a} 1",
                             "x_total{a=b} 1",
                             "x_total{a=\"b} 1",
                             "x_total{a=\"\"\"} 1",
                             "x_total{a=\"\\x\"} 1",
                             "x_total{a=\"b\",a=\"b\"} 1",
                             "x_total{a=\"b\"}1",
                             "x_total{1=\"b\"} 1",
                             "x_total 1\nx_total 2",
                             " x_total 1",
                             "",
                             "x_total 0x10"}) {
    const Exposition bad(std::string(kHead) + sample + "\n");
    EXPECT_THAT(bad.faults(), Not(IsEmpty())) << sample;
  }
}

TEST(Exposition, FindsWhatIsWrongWithTheOrder) {
  const std::string x = kHead;
  const std::string y = "# HELP y Some help.\n# TYPE y gauge\ny 1\n";
  const std::vector<std::string> texts = {
      absl::StrCat(x, "x_total 1"),
      "x_total 1\n",
      absl::StrCat(x, x),
      absl::StrCat(x, y, "x_total 1\n"),
      absl::StrCat(x, y, x),
      "# TYPE y gauge\ny 1\n",
      "# HELP y Some help.\ny 1\n",
      "# HELP y Some help.\n# TYPE y counter\ny 1\n",
      "# HELP y_total Some help.\n# TYPE y_total gauge\n",
      "# HELP y Some help.\n# TYPE y thing\n",
      "# HELP y_us Some help.\n# TYPE y_us gauge\n",
  };
  for (const std::string& text : texts) {
    EXPECT_THAT(Exposition(text).faults(), Not(IsEmpty())) << text;
  }
}

TEST(Exposition, FindsWhatIsWrongWithAHistogram) {
  for (const char* samples :
       {"h_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n",     // no +Inf
        "h_bucket{le=\"1\"} 1\n",                         // likewise, at the end
        "h_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n",  // another count
        "h_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\n",
        "h_bucket{le=\"1\"} 2\nh_bucket{le=\"2\"} 1\nh_bucket{le=\"+Inf\"} 2\n", "h_bucket 1\n",
        "h_bucket{le=\"x\"} 1\n", "h 1\n"}) {
    EXPECT_THAT(Exposition(kHistogram + std::string(samples)).faults(), Not(IsEmpty())) << samples;
  }
}

}  // namespace
}  // namespace sockgate::testing
