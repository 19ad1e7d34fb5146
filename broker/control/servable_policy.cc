#include "broker/control/servable_policy.h"

#include <utility>

namespace sockgate {

LoadedPolicy LoadServablePolicy(const std::string& path) {
  LoadedPolicy loaded = LoadPolicyFile(path);
  if (!loaded.policy.has_value()) return loaded;
  if (!loaded.policy->listen.empty()) return loaded;
  Finding finding;
  finding.message = "there is no path where workers could ask";
  finding.advice = "write a table [[listen]]";
  loaded.findings.push_back(std::move(finding));
  loaded.policy.reset();
  return loaded;
}

}  // namespace sockgate
