#include "tests/integration/inside.h"

#include <unistd.h>

#include "proto/check.h"
#include "tests/integration/pipe_text.h"

namespace sockgate::testing {

void Inside::Pause() const {
  WriteAll(said_, ".");
  char byte;
  SOCKGATE_CHECK(read(told_, &byte, 1) == 1);
}

}  // namespace sockgate::testing
