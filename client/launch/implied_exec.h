// ForbidImpliedExec: memory that may be read is not therefore memory that may be executed.
//
// Process: worker, before its filter, which refuses PROT_EXEC and cannot see what an old personality
// adds to PROT_READ (READ_IMPLIES_EXEC, as setarch -X sets it).
// Threads: the calling one, and those that it starts. Async-signal-safe, does not block.
// Failure: an errno. Under a filter that does not let it ask, it is believed to be well: whoever put
// that one on has seen to it.
//
// Manual page: personality(2).

#ifndef SOCKGATE_CLIENT_LAUNCH_IMPLIED_EXEC_H_
#define SOCKGATE_CLIENT_LAUNCH_IMPLIED_EXEC_H_

namespace sockgate::launch {

[[nodiscard]] int ForbidImpliedExec();

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_IMPLIED_EXEC_H_
