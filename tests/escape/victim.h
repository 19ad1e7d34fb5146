// Victim: a process that could be attacked. It ends with the one that arranged it.

#ifndef SOCKGATE_TESTS_ESCAPE_VICTIM_H_
#define SOCKGATE_TESTS_ESCAPE_VICTIM_H_

#include <sys/types.h>

namespace sockgate::escape {

// For `arrange`.
pid_t Victim();

}  // namespace sockgate::escape

#endif  // SOCKGATE_TESTS_ESCAPE_VICTIM_H_
