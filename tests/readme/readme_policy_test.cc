// The policies that the documents show are policies, and not one of them is warned of.

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "broker/policy/policy_file.h"
#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

std::vector<std::string> TomlBlocks(const std::string& document) {
  std::vector<std::string> blocks;
  std::ifstream file(document);
  bool within = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```") within = false;
    if (within) blocks.back() += line + "\n";
    if (line == "```toml") {
      within = true;
      blocks.emplace_back();
    }
  }
  return blocks;
}

TEST(ReadmePolicy, EveryPolicyShownIsClean) {
  for (const char* document : {"README.md", "broker/policy/POLICY.md"}) {
    const std::vector<std::string> blocks = TomlBlocks(document);
    EXPECT_FALSE(blocks.empty()) << document;
    for (const std::string& block : blocks) {
      const LoadedPolicy loaded = ParsePolicy(block);
      EXPECT_TRUE(loaded.policy.has_value()) << document;
      for (const Finding& finding : loaded.findings) {
        ADD_FAILURE() << document << ": line " << finding.line << ": " << finding.message;
      }
    }
  }
}

TEST(ReadmePolicy, ItDoesWhatTheReadmeSays) {
  const LoadedPolicy loaded = ParsePolicy(TomlBlocks("README.md").at(0));
  const Policy& policy = loaded.policy.value().roles.at(0).policy;
  EXPECT_EQ(Said(policy, At("169.254.169.254", 80)), "deny 0 special-purpose-address");
  EXPECT_EQ(Said(policy, At("10.20.30.4", 5432)), "allow 3 none");
  EXPECT_EQ(Said(policy, At("9.9.9.9", 443)), "allow 1 none");
  EXPECT_EQ(Said(policy, At("10.9.8.7", 443), {"build.corp.example"}), "allow 2 none");
  EXPECT_EQ(Said(policy, At("127.0.0.1", 443), {"rebound.example"}),
            "deny 0 special-purpose-address");
  EXPECT_EQ(InWords(policy.DecideName(Name("www.tracker.example"))), "deny 6 deny-rule");
}

}  // namespace
}  // namespace sockgate::testing
