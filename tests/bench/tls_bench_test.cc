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

TEST(TlsBenchTest, MeasuresEverySide) {
  const std::string path = ::testing::TempDir() + "/figures.json";
  ASSERT_EQ(std::system(("tests/bench/tls_bench --seconds 1 --json " + path).c_str()), 0);
  std::ifstream file(path);
  const json rate = json::parse(file)["rate"];
  EXPECT_GT(rate["rounds"], 0);
  ASSERT_EQ(rate["rows"].size(), 5U);
  for (const json& row : rate["rows"]) {
    EXPECT_GT(row["per_second"], 0) << row;
    const bool plain = row["side"].get<std::string>().rfind("plain", 0) == 0;
    EXPECT_EQ(row["broker_cpu_us"] > 0, !plain) << row;
  }
  EXPECT_EQ(rate["rows"][0]["ratio"]["median"], 1);
}

}  // namespace
}  // namespace sockgate::bench
