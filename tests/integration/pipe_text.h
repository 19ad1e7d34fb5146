// Text through a pipe, for tests that hear from their children.

#ifndef SOCKGATE_TESTS_INTEGRATION_PIPE_TEXT_H_
#define SOCKGATE_TESTS_INTEGRATION_PIPE_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "proto/unique_fd.h"

namespace sockgate::testing {

struct Pipe {
  Pipe();
  UniqueFd reader;
  UniqueFd writer;
};

void WriteAll(int fd, absl::string_view text);

// Until the last writer has closed.
std::string ReadAll(int fd);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_INTEGRATION_PIPE_TEXT_H_
