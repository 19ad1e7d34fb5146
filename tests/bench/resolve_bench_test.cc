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

constexpr int kNoNamespaces = 2;

void ExpectPositive(const json& object) {
  for (const auto& [name, value] : object.items()) {
    EXPECT_GT(value.get<double>(), 0) << name << " in " << object;
  }
}

class ResolveBenchTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string path = ::testing::TempDir() + "/figures.json";
    const std::string command = "tests/bench/resolve_bench --seconds 1 --json " + path;
    const int status = std::system(command.c_str());
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    std::ifstream file(path);
    figures_ = json::parse(file, nullptr, /*allow_exceptions=*/false);
  }

  void SetUp() override {
    if (exit_code_ == kNoNamespaces) GTEST_SKIP() << "this host gives us no namespaces";
    ASSERT_EQ(exit_code_, 0);
    ASSERT_TRUE(figures_.is_object());
  }

  static int exit_code_;
  static json figures_;
};

int ResolveBenchTest::exit_code_ = -1;
json ResolveBenchTest::figures_;

TEST_F(ResolveBenchTest, TimesEveryWayToLookUp) {
  const json& lookups = figures_["lookups"];
  EXPECT_GT(lookups["rounds"], 0);
  ASSERT_EQ(lookups["rows"].size(), 4U);
  for (const json& row : lookups["rows"]) {
    ExpectPositive(row["us"]);
    ExpectPositive(row["ratio"]);
    const bool libc = row["way"] == "getaddrinfo() of libc";
    EXPECT_EQ(row["helper_cpu_us"] > 0, !libc) << row;
  }
}

TEST_F(ResolveBenchTest, MeasuresEverySideAtEveryLoad) {
  const json& rate = figures_["rate"];
  EXPECT_GT(rate["rounds"], 0);
  ASSERT_EQ(rate["rows"].size(), 9U);
  for (const json& row : rate["rows"]) {
    EXPECT_NE(row["host"], "address");
    EXPECT_GT(row["per_second"], 0) << row;
    ExpectPositive(row["ratio"]);
    const bool plain = row["side"] == "plain libcurl";
    EXPECT_EQ(row["broker_cpu_us"] > 0, !plain) << row;
  }
}

TEST_F(ResolveBenchTest, ComparesTheBaselineWithItself) {
  EXPECT_EQ(figures_["lookups"]["rows"][0]["ratio"]["median"], 1);
  EXPECT_EQ(figures_["rate"]["rows"][0]["ratio"]["median"], 1);
}

}  // namespace
}  // namespace sockgate::bench
