#include "tests/escape/victim.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/escape/act.h"

namespace sockgate::escape {

pid_t Victim() {
  const pid_t attacker = getpid();
  const pid_t pid = Must(fork());
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() == attacker) pause();
  _exit(0);
}

}  // namespace sockgate::escape
