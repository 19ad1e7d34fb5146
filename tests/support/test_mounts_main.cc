// main() of a gtest program whose tests all run in a mount namespace of their own
// (tests/support/test_mounts.h).

#include "tests/support/entered_main.h"
#include "tests/support/test_mounts.h"

int main(int argc, char** argv) {
  return sockgate::testing::RunEntered(sockgate::testing::EnterTestMounts(), argc, argv);
}
