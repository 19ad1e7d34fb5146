// Act: something that a confined worker must not be able to do, as a function that really does it.
//
// Perform runs it in a process of its own, arranged unconfined and attempted under the given
// filters, and tells how that process ended. Everything stays on loopback and in that process.

#ifndef SOCKGATE_TESTS_ESCAPE_ACT_H_
#define SOCKGATE_TESTS_ESCAPE_ACT_H_

#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "client/launch/sandbox_profile.h"
#include "tests/client/launch/forked.h"

namespace sockgate::escape {

// 0: it was done. An errno: it was refused.
using Attempt = std::function<int()>;

struct Act {
  std::string name;
  launch::ExitStatus confined;       // how it ends under the fetcher profile
  std::function<Attempt()> arrange;  // makes, unconfined, what the attempt needs
  // True where an ordinary user, or a kernel built or set up in another way, cannot do it
  // unconfined either.
  bool host_may_refuse = false;
  // True for calls of another architecture, which no profile has a say in.
  bool foreign = false;
};

// What a process is stopped with that could not arrange, or could not confine itself.
inline constexpr int kNotArranged = 250;
inline constexpr int kNotConfined = 251;

// How an act ends that the profile does not list.
inline launch::ExitStatus Killed() { return launch::Signaled(SIGSYS); }
// The same, for Call().
inline constexpr int kKilled = 0;

// `filters` are installed one upon the other; none: unconfined.
launch::ExitStatus Perform(const Act& act, const std::vector<launch::Profile>& filters);

// For `arrange`: the result of a system call that has to work.
int Must(int64_t result);

// An act that is one system call and needs nothing arranged. `refusal` is an errno or kKilled.
template <typename... Arguments>
Act Call(const std::string& name, int refusal, int64_t number, Arguments... arguments) {
  return {name, refusal == kKilled ? Killed() : launch::Exited(refusal), [=]() -> Attempt {
            return [=] { return launch::ErrnoOf(syscall(number, arguments...)); };
          }};
}

// The same for those that this host may refuse, and for calls of another architecture.
Act Privileged(Act act);
Act Foreign(Act act);

}  // namespace sockgate::escape

#endif  // SOCKGATE_TESTS_ESCAPE_ACT_H_
