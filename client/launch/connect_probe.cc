#include "client/launch/connect_probe.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sockgate::launch {

bool ConnectAnswersInProgress() {
  const int saved = errno;
  const sockaddr nowhere{};  // AF_UNSPEC
  const bool answered =
      syscall(SYS_connect, -1, &nowhere, sizeof(nowhere)) == -1 && errno == EINPROGRESS;
  errno = saved;
  return answered;
}

}  // namespace sockgate::launch
