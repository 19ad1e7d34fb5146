#include "tests/escape/act.h"

#include <algorithm>
#include <utility>

#include "confine/seccomp_filter.h"

namespace sockgate::escape {

namespace {

// The filters alone: what is refused is refused by no other layer.
bool Confine(const std::vector<launch::Profile>& filters) {
  return std::all_of(filters.begin(), filters.end(), [](const launch::Profile& profile) {
    const auto filter = confine::SeccompFilter::Build(profile);
    return filter.ok() && filter->Install() == 0;
  });
}

}  // namespace

launch::ExitStatus Perform(const Act& act, const std::vector<launch::Profile>& filters) {
  return launch::RunForked([&] {
    const Attempt attempt = act.arrange();
    if (!Confine(filters)) return kNotConfined;
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

Act Foreign(Act act) {
  act.foreign = true;
  return Privileged(std::move(act));
}

}  // namespace sockgate::escape
