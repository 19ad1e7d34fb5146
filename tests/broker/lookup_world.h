// A ServerWorld that resolves names, by a policy with rules on hosts.

#ifndef SOCKGATE_TESTS_BROKER_LOOKUP_WORLD_H_
#define SOCKGATE_TESTS_BROKER_LOOKUP_WORLD_H_

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "broker/policy/host_pattern.h"
#include "tests/broker/server_world.h"

namespace sockgate::testing {

class LookupWorld : public ServerWorld {
 public:
  static Rule OnHost(Decision decision, absl::string_view pattern, absl::string_view ports = "*") {
    Rule rule = {decision, HostPattern::Parse(pattern).value(), PortSet::Parse(ports).value()};
    if (decision == Decision::kDeny) rule.transports = Transports::Both();
    return rule;
  }

  // Rule 1 allows *.example.com at port 443, rule 2 denies bad.example.com, rule 3 lets
  // intern.example.com lead to private addresses.
  static Role LookupRole() {
    Rule intern = OnHost(Decision::kAllow, "intern.example.com", "443");
    intern.private_addresses = true;
    Role role;
    role.name = "test";
    role.policy = Policy({OnHost(Decision::kAllow, "*.example.com", "443"),
                          OnHost(Decision::kDeny, "bad.example.com"), intern});
    return role;
  }

  explicit LookupWorld(std::chrono::milliseconds patience = std::chrono::seconds(30))
      : ServerWorld(UniqueFd(), patience) {
    role = LookupRole();
    net.UsualAnswers({0});
  }

  // The worker asks, and question `i` of all is answered so.
  Answer AskAndFind(TestWorker* worker, absl::string_view name, size_t i,
                    const std::vector<std::string>& addresses, uint32_t ttl_seconds = 60,
                    NameFamily family = NameFamily::kAny) {
    worker->Send(Resolve(name, family));
    AwaitQuestions(i + 1);
    Do([&] { names.Found(i, addresses, ttl_seconds); });
    return worker->Receive();
  }

  size_t Questions() {
    size_t count = 0;
    Do([&] { count = names.size(); });
    return count;
  }

  // Waits for the decision on the `count`th name in all.
  bool AwaitLookups(size_t count) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (Audit("lookup").size() < count) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  // The last line of this kind.
  nlohmann::json Last(const std::string& event) {
    const auto lines = Audit(event);
    return lines.empty() ? nlohmann::json() : lines.back();
  }
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_BROKER_LOOKUP_WORLD_H_
