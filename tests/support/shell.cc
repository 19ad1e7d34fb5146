#include "tests/support/shell.h"

#include <stdio.h>
#include <sys/wait.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "proto/check.h"

namespace sockgate::testing {

Ran Shell(const std::string& command) {
  // NOLINTNEXTLINE(cert-env33-c): a shell is what is asked for.
  FILE* const pipe = popen(absl::StrCat("( ", command, "\n) 2>&1").c_str(), "r");
  SOCKGATE_CHECK(pipe != nullptr);
  Ran ran;
  char block[4096];
  for (size_t size = 0; (size = fread(block, 1, sizeof(block), pipe)) > 0;) {
    ran.said.append(block, size);
  }
  const int status = pclose(pipe);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string FileText(const std::string& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace sockgate::testing
