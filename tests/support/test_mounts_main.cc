// main() of a gtest program whose tests all run in a mount namespace of their own
// (tests/support/test_mounts.h). Where the host cannot provide one, every test is skipped and says
// why.

#include <gtest/gtest.h>

#include <utility>

#include "tests/support/test_mounts.h"

namespace sockgate::testing {
namespace {

class TestMounts : public ::testing::Environment {
 public:
  explicit TestMounts(absl::Status entered) : entered_(std::move(entered)) {}

  void SetUp() override {
    if (absl::IsUnavailable(entered_)) GTEST_SKIP() << entered_.message();
    ASSERT_TRUE(entered_.ok()) << entered_;
  }

 private:
  absl::Status entered_;
};

}  // namespace
}  // namespace sockgate::testing

int main(int argc, char** argv) {
  absl::Status entered = sockgate::testing::EnterTestMounts();
  ::testing::InitGoogleTest(&argc, argv);
  // gtest owns its environments.
  ::testing::AddGlobalTestEnvironment(new sockgate::testing::TestMounts(std::move(entered)));
  return RUN_ALL_TESTS();
}
