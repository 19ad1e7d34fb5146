// RunEntered: main() of a gtest program whose tests all run in a place that the process enters first, such
// as a network namespace of its own. Where the host cannot provide it, every test is skipped and says
// why.

#ifndef SOCKGATE_TESTS_SUPPORT_ENTERED_MAIN_H_
#define SOCKGATE_TESTS_SUPPORT_ENTERED_MAIN_H_

#include <gtest/gtest.h>

#include <utility>

#include "absl/status/status.h"

namespace sockgate::testing {

class Entered : public ::testing::Environment {
 public:
  explicit Entered(absl::Status entered) : entered_(std::move(entered)) {}

  void SetUp() override {
    if (absl::IsUnavailable(entered_)) GTEST_SKIP() << entered_.message();
    ASSERT_TRUE(entered_.ok()) << entered_;
  }

 private:
  absl::Status entered_;
};

// `entered`: how entering it went, before gtest has looked at anything.
inline int RunEntered(absl::Status entered, int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  // gtest owns its environments.
  ::testing::AddGlobalTestEnvironment(new Entered(std::move(entered)));
  return RUN_ALL_TESTS();
}

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_ENTERED_MAIN_H_
