#include "tests/integration/names/names_broker.h"

#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "broker/policy/policy_file.h"
#include "proto/check.h"
#include "tests/support/process_stats.h"

namespace sockgate::testing {

std::string PolicyText(uint16_t dns_port, const std::string& roles, int timeout_ms) {
  return absl::StrCat("version = 1\n[resolver]\nhosts = ''\nservers = '127.0.0.1:", dns_port,
                      "'\ntimeout_ms = ", timeout_ms, "\ntries = ", kResolverTries, "\n", roles);
}

std::string OneRole(uint16_t dns_port, const std::string& lines, int timeout_ms) {
  return PolicyText(dns_port, absl::StrCat("[roles.test]\n", lines), timeout_ms);
}

BrokerProcess StartNamesBroker(const std::string& policy_text, const AuditFile& audit) {
  LoadedPolicy loaded = ParsePolicy(policy_text);
  SOCKGATE_CHECK(loaded.policy.has_value());
  BrokerOptions options;
  options.roles = std::move(loaded.policy->roles);
  options.resolver = std::move(loaded.policy->resolver);
  options.audit = audit.Open();
  auto broker = BrokerProcess::Start(std::move(options));
  SOCKGATE_CHECK(broker.ok());
  return *std::move(broker);
}

pid_t ResolverOf(const BrokerProcess& broker, pid_t other_than) {
  constexpr int kPauses = 1000;
  for (int i = 0; i < kPauses; ++i) {
    for (const pid_t keeper : ChildrenOf(broker.pid())) {
      for (const pid_t resolver : ChildrenOf(keeper)) {
        if (resolver != other_than) return resolver;
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  SOCKGATE_CHECK(!"the broker has no resolver");
  return -1;
}

}  // namespace sockgate::testing
