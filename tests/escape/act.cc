#include "tests/escape/act.h"

#include <utility>

#include "client/launch/confine.h"
#include "confine/seccomp_filter.h"

namespace sockgate::escape {

namespace {

// All but the last are what a launcher has put on before the program began.
bool Confine(const std::vector<launch::Profile>& filters) {
  for (size_t i = 0; i + 1 < filters.size(); ++i) {
    const auto filter = confine::SeccompFilter::Build(filters[i]);
    if (!filter.ok() || filter->Install() != 0) return false;
  }
  return filters.empty() || launch::Confine(filters.back()).ok();
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
