#include "tool/fetch/interruptible_write.h"

#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "tool/write_all.h"

namespace sockgate {
namespace {

bool NeverWaits(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// False, with errno set: `stop` came first.
bool AwaitRoom(int stop, int fd) {
  pollfd entries[] = {{stop, POLLIN, 0}, {fd, POLLOUT, 0}};
  while (poll(entries, 2, -1) < 0) {
    if (errno != EINTR) return false;
  }
  if (entries[0].revents == 0) return true;
  errno = ECANCELED;
  return false;
}

}  // namespace

// A pipe that is ready has room for PIPE_BUF bytes; with more, write(2) would wait inside.
bool WriteUnlessStopped(int stop, int fd, absl::string_view bytes) {
  if (NeverWaits(fd)) return WriteAll(fd, bytes);
  while (!bytes.empty()) {
    const absl::string_view part = bytes.substr(0, PIPE_BUF);
    if (!AwaitRoom(stop, fd) || !WriteAll(fd, part)) return false;
    bytes.remove_prefix(part.size());
  }
  return true;
}

}  // namespace sockgate
