#include "tests/escape/act.h"

#include <utility>

#include "client/launch/seccomp_filter.h"

namespace sockgate::escape {

launch::ExitStatus Perform(const Act& act, const std::vector<launch::Profile>& filters) {
  return launch::RunForked([&] {
    const Attempt attempt = act.arrange();
    for (const launch::Profile& filter : filters) {
      if (!launch::Confine(filter).ok()) return kNotConfined;
    }
    return attempt();
  });
}

int Must(int64_t result) {
  if (result < 0) _exit(kNotArranged);
  return static_cast<int>(result);
}

Act Privileged(Act act) {
  act.host_may_refuse = true;
  return act;
}

}  // namespace sockgate::escape
