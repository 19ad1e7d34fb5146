#include "broker/policy/finding_text.h"

#include <gtest/gtest.h>

namespace sockgate {
namespace {

TEST(FindingTextTest, AsCompilersWriteIt) {
  EXPECT_EQ(FindingText("p.toml",
                        {Finding::Severity::kError, 3, 7, "unknown key 'alow'", "write 'allow'"}),
            "p.toml:3:7: error: unknown key 'alow' (write 'allow')");
  EXPECT_EQ(FindingText("p.toml", {Finding::Severity::kWarning, 1, 1, "no role", ""}),
            "p.toml:1:1: warning: no role");
  EXPECT_EQ(FindingText("p.toml", {Finding::Severity::kError, 0, 0, "is not a regular file", ""}),
            "p.toml: error: is not a regular file");
}

}  // namespace
}  // namespace sockgate
