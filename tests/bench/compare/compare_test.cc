// The comparison runs with whatever this host has installed, and every figure is there. How large a
// figure is says nothing here: tests run on busy machines and in builds with sanitizers.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace sockgate::bench {
namespace {

using nlohmann::json;

constexpr char kPage[] =
    "Words before.\n"
    "<!-- The figures from here on are written by tests/bench/compare. -->\n"
    "Old figures.\n"
    "<!-- The figures end here. -->\n"
    "Words after.\n";

std::string ReadFile(const std::string& name) {
  std::ostringstream text;
  text << std::ifstream(::testing::TempDir() + "/" + name).rdbuf();
  return text.str();
}

class CompareTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string folder = ::testing::TempDir();
    std::ofstream(folder + "/comparison.md") << kPage;
    const std::string command =
        "tests/bench/compare/compare_bench --seconds 1 --connections 20 --bulk-mib 2 "
        "--ways connected,in-progress,prepared,bridge --output " +
        folder + " --json " + folder + "/figures.json";
    exit_status_ = std::system(command.c_str());
    figures_ = json::parse(ReadFile("figures.json"), nullptr, /*allow_exceptions=*/false);
  }

  void SetUp() override {
    ASSERT_EQ(exit_status_, 0);
    ASSERT_TRUE(figures_.is_object());
  }

  static int exit_status_;
  static json figures_;
};

int CompareTest::exit_status_ = -1;
json CompareTest::figures_;

TEST_F(CompareTest, MeasuresEveryWayThatIsInstalled) {
  EXPECT_GT(figures_["rounds"], 0);
  EXPECT_GT(figures_["connect_us"], 0);
  ASSERT_EQ(figures_["rows"].size(), 5U);
  for (const json& row : figures_["rows"]) {
    const bool ours = row["key"] == "plain" || row["name"].get<std::string>().find("sockgate") == 0;
    EXPECT_TRUE(!ours || row["remark"] == "") << row;
    if (row["remark"] != "") continue;
    ASSERT_EQ(row["rates"].size(), 4U) << row;
    for (const json& rate : row["rates"]) {
      EXPECT_GT(rate["rate"], 0) << row;
      EXPECT_LE(rate["ratio"]["min"], rate["ratio"]["median"]) << row;
      EXPECT_GE(rate["ratio"]["max"], rate["ratio"]["median"]) << row;
    }
    EXPECT_EQ(row["rates"]["small"]["helper_us"] > 0, row["key"] != "plain") << row;
  }
}

TEST_F(CompareTest, LooksAtTheMemoryOfWhoeverHelps) {
  EXPECT_EQ(figures_["connections"], json({0, 4, 20}));
  for (const json& row : figures_["rows"]) {
    if (row["remark"] != "") continue;
    ASSERT_EQ(row["memory"].size(), row["key"] == "plain" ? 0U : 3U) << row;
    for (const json& figure : row["memory"]) {
      EXPECT_GT(figure["first"], 0) << row;
      EXPECT_GE(figure["all"], figure["first"]) << row;
    }
  }
}

TEST_F(CompareTest, ReplacesTheFiguresOfThePageAndNothingElse) {
  const std::string page = ReadFile("comparison.md");
  EXPECT_EQ(page.find("Words before.\n"), 0U);
  EXPECT_EQ(page.find("Old figures."), std::string::npos);
  EXPECT_NE(page.find("| sockgate, connected |"), std::string::npos);
  EXPECT_NE(page.find("-->\nWords after.\n"), std::string::npos);
}

TEST_F(CompareTest, DrawsAWellFormedChart) {
  EXPECT_NE(ReadFile("comparison.svg").find("sockgate, in progress"), std::string::npos);
  const std::string parse =
      "python3 -c 'import sys, xml.dom.minidom as dom; "
      "sys.exit(dom.parse(sys.argv[1]).documentElement.tagName != \"svg\")' " +
      ::testing::TempDir() + "/comparison.svg";
  EXPECT_EQ(std::system(parse.c_str()), 0);
}

}  // namespace
}  // namespace sockgate::bench
