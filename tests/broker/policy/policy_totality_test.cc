// Whatever the file holds, loading ends with a policy or with an error, and never otherwise.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/broker/policy/load_policy.h"

namespace sockgate::testing {
namespace {

std::string Read(const std::string& name) {
  std::ifstream file("broker/policy/examples/" + name + ".toml", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void CheckTotal(const std::string& text) {
  const LoadedPolicy loaded = ParsePolicy(text);
  ASSERT_NE(loaded.policy.has_value(), HasError(loaded)) << text;
}

class PolicyTotalityTest : public ::testing::TestWithParam<const char*> {};

TEST_P(PolicyTotalityTest, CutShortAnywhere) {
  const std::string whole = Read(GetParam());
  ASSERT_FALSE(whole.empty());
  for (size_t size = 0; size <= whole.size(); ++size) CheckTotal(whole.substr(0, size));
}

TEST_P(PolicyTotalityTest, WithAnyByteAnother) {
  const std::string whole = Read(GetParam());
  constexpr char kOthers[] = {'"', '[', '\x80'};
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string text = whole;
    text[at] = kOthers[at % std::size(kOthers)];
    CheckTotal(text);
  }
}

INSTANTIATE_TEST_SUITE_P(Examples, PolicyTotalityTest,
                         ::testing::Values("safe_fetcher", "crawler", "internal_service"));

}  // namespace
}  // namespace sockgate::testing
