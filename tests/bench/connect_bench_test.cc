// The benchmark runs, and every figure is there. How large a figure is says nothing here: tests run
// on busy machines and in builds with sanitizers.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace sockgate::bench {
namespace {

using nlohmann::json;

void ExpectPositive(const json& object) {
  for (const auto& [name, value] : object.items()) {
    EXPECT_GT(value.get<double>(), 0) << name << " in " << object;
  }
}

class ConnectBenchTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string path = ::testing::TempDir() + "/figures.json";
    const std::string command = "tests/bench/connect_bench --seconds 1 --json " + path;
    exit_status_ = std::system(command.c_str());
    std::ifstream file(path);
    figures_ = json::parse(file, nullptr, /*allow_exceptions=*/false);
  }

  void SetUp() override {
    ASSERT_EQ(exit_status_, 0);
    ASSERT_TRUE(figures_.is_object());
  }

  static int exit_status_;
  static json figures_;
};

int ConnectBenchTest::exit_status_ = -1;
json ConnectBenchTest::figures_;

TEST_F(ConnectBenchTest, TimesEveryWayToConnect) {
  ASSERT_EQ(figures_["latency"].size(), 2U);
  for (const json& table : figures_["latency"]) {
    EXPECT_GT(table["rounds"], 0);
    ASSERT_EQ(table["rows"].size(), 7U);
    for (const json& row : table["rows"]) {
      ExpectPositive(row["us"]);
      ExpectPositive(row["ratio"]);
      const bool plain = row["way"].get<std::string>().find("plain") == 0;
      EXPECT_EQ(row["helper_cpu_us"] > 0, !plain) << row;
    }
  }
}

TEST_F(ConnectBenchTest, MeasuresEverySideAtEveryConcurrency) {
  const json& rate = figures_["rate"];
  EXPECT_GT(rate["rounds"], 0);
  ASSERT_EQ(rate["rows"].size(), 9U);
  for (const json& row : rate["rows"]) {
    EXPECT_GT(row["per_second"], 0) << row;
    ExpectPositive(row["ratio"]);
    const bool plain = row["side"] == "plain libcurl";
    EXPECT_EQ(row["broker_cpu_us"] > 0, !plain) << row;
  }
}

TEST_F(ConnectBenchTest, ComparesTheBaselineWithItself) {
  EXPECT_EQ(figures_["latency"][0]["rows"][0]["ratio"]["median"], 1);
  EXPECT_EQ(figures_["rate"]["rows"][0]["ratio"]["median"], 1);
}

}  // namespace
}  // namespace sockgate::bench
