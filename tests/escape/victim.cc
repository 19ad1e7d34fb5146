#include "tests/escape/victim.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/escape/act.h"

namespace sockgate::escape {

// Not by PR_SET_PDEATHSIG: a parent that dies under Landlock may signal nobody outside.
pid_t Victim() {
  int lifeline[2];
  Must(pipe2(lifeline, O_CLOEXEC));
  const pid_t pid = Must(fork());
  if (pid != 0) return pid;
  close(lifeline[1]);
  char byte;
  const ssize_t ended = read(lifeline[0], &byte, 1);
  _exit(ended == 0 ? 0 : 1);
}

}  // namespace sockgate::escape
