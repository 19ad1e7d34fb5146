// main() of a gtest program whose tests all run in the test network
// (tests/support/test_namespace.h).

#include "tests/support/entered_main.h"
#include "tests/support/test_namespace.h"

int main(int argc, char** argv) {
  return sockgate::testing::RunEntered(sockgate::testing::EnterTestNetwork(), argc, argv);
}
