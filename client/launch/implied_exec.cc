#include "client/launch/implied_exec.h"

#include <errno.h>
#include <sys/personality.h>

namespace sockgate::launch {

int ForbidImpliedExec() {
  constexpr unsigned long kOnlyAsk = 0xffffffff;  // NOLINT(google-runtime-int): libc's type
  const int now = personality(kOnlyAsk);
  if (now < 0 || (now & READ_IMPLIES_EXEC) == 0) return 0;
  return personality(static_cast<unsigned>(now) & ~static_cast<unsigned>(READ_IMPLIES_EXEC)) < 0
             ? errno
             : 0;
}

}  // namespace sockgate::launch
