#include "tests/integration/pipe_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "proto/check.h"

namespace sockgate::testing {

Pipe::Pipe() {
  int ends[2];
  SOCKGATE_CHECK(pipe2(ends, O_CLOEXEC) == 0);
  reader.Reset(ends[0]);
  writer.Reset(ends[1]);
}

void WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t size = write(fd, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    SOCKGATE_CHECK(size > 0);
    text.remove_prefix(static_cast<size_t>(size));
  }
}

std::string ReadAll(int fd) {
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t size = read(fd, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(buffer, static_cast<size_t>(size));
  }
}

}  // namespace sockgate::testing
