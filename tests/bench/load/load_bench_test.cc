// The benchmark runs, and every figure is there. How large a figure is says nothing here: tests run
// on busy machines and in builds with sanitizers.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace sockgate::bench {
namespace {

using nlohmann::json;

constexpr int kNoNamespace = 2;

class LoadBenchTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string path = ::testing::TempDir() + "/figures.json";
    const std::string command = "tests/bench/load/load_bench --quick --json " + path;
    exit_status_ = WEXITSTATUS(std::system(command.c_str()));
    std::ifstream file(path);
    figures_ = json::parse(file, nullptr, /*allow_exceptions=*/false);
  }

  void SetUp() override {
    if (exit_status_ == kNoNamespace) GTEST_SKIP() << "this host gives us no network namespace";
    ASSERT_EQ(exit_status_, 0);
    ASSERT_TRUE(figures_.is_object());
  }

  static int exit_status_;
  static json figures_;
};

int LoadBenchTest::exit_status_ = -1;
json LoadBenchTest::figures_;

TEST_F(LoadBenchTest, WeighsIdleChannels) {
  EXPECT_EQ(figures_["idle"]["channels"], 200);
  EXPECT_GT(figures_["idle"]["bytes_per_channel"], 0);
  EXPECT_GE(figures_["idle"]["wakeups_without"], 0);
  EXPECT_LT(figures_["idle"]["wakeups_with"], 100);
}

TEST_F(LoadBenchTest, ComparesEveryLoadWithNone) {
  ASSERT_EQ(figures_["tables"].size(), 16U);
  for (const json& table : figures_["tables"]) {
    SCOPED_TRACE(table["load"]);
    const bool flood = table["per_second"] > 0;
    ASSERT_EQ(table["sides"].size(), flood ? 3U : 2U);
    EXPECT_EQ(table["sides"].front()["side"], "alone");
    EXPECT_EQ(table["sides"].front()["p99_to_alone"], 1);
    EXPECT_EQ(table["sides"].back()["side"], "here");
    EXPECT_GT(table["rounds"], 0);
    for (const json& side : table["sides"]) {
      for (const char* figure : {"p50", "p90", "p99"}) EXPECT_GT(side["us"][figure], 0);
      for (const char* figure : {"median", "min", "max"}) {
        EXPECT_GT(side["p50_ratio"][figure], 0);
        EXPECT_GT(side["p99_ratio"][figure], 0);
      }
      EXPECT_GT(side["broker_cpu"], 0);
    }
  }
}

TEST_F(LoadBenchTest, TheFloodsFlow) {
  size_t floods = 0;
  for (const json& table : figures_["tables"]) floods += table["per_second"] > 0 ? 1 : 0;
  EXPECT_EQ(floods, 12U);
}

}  // namespace
}  // namespace sockgate::bench
