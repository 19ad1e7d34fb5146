// For random logs: the learned policy allows what was seen, and nothing around it.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "broker/policy/embedded_v4.h"
#include "broker/policy/policy_file.h"
#include "tool/learned_policy.h"

namespace sockgate {
namespace {

using Asked = std::pair<std::string, Transport>;  // as Endpoint::ToString() prints it

constexpr Transport kTransports[] = {Transport::kStream, Transport::kDatagram};

// A small world, so that much of what is not seen lies next to what is: around the borders of
// special ranges, and with IPv4 addresses in IPv6 ones.
std::vector<IpAddress> World() {
  std::vector<IpAddress> world;
  for (const char* prefix :
       {"192.0.0.", "0.0.0.", "8.8.8.", "10.255.255.24", "11.0.0.", "255.255.255.24"}) {
    for (int i = 0; i < 12; ++i) {
      const auto address = IpAddress::Parse(absl::StrCat(prefix, i));
      if (address.has_value()) world.push_back(*address);
    }
  }
  for (const char* prefix : {"::", "2606:2800::", "64:ff9b::808:80", "64:ff9b::c000:",
                             "64:ff9b:1:808:8:800::", "2002:808:80", "2001:1::", "fe80::5efe:a:"}) {
    for (int i = 0; i < 10; ++i) {
      std::string text = absl::StrCat(prefix, i);
      if (!IpAddress::Parse(text).has_value()) absl::StrAppend(&text, "::");
      world.push_back(IpAddress::Parse(text).value());
    }
  }
  return world;
}

class Log {
 public:
  explicit Log(std::mt19937* random) : random_(*random) {}

  void See(const IpAddress& address, uint16_t port, Transport transport) {
    const Endpoint target = Endpoint::Ip(address, port);
    SeenDecision seen;
    seen.role = "r";
    seen.target = target;
    seen.transport = transport;
    learned_.Add(seen);
    seen_.insert({target.ToString(), transport});
  }

  void Fill(const std::vector<IpAddress>& world) {
    const double share = std::uniform_real_distribution<>(0, 0.95)(random_);
    for (const IpAddress& address : world) {
      for (uint16_t port = 0; port <= kPorts; ++port) {
        for (const Transport transport : kTransports) {
          if (std::bernoulli_distribution(share)(random_)) See(address, port, transport);
        }
      }
    }
  }

  bool WasSeen(const IpAddress& address, uint16_t port, Transport transport) const {
    return seen_.count({Endpoint::Ip(address, port).ToString(), transport}) != 0;
  }

  // Never where no rule can lead; and beyond what was seen only what that stands for.
  bool ShouldAllow(const IpAddress& address, uint16_t port, Transport transport) const {
    return (WasSeen(address, port, transport) && CanBe(address, port)) ||
           inside_.count({Endpoint::Ip(address, port).ToString(), transport}) != 0;
  }

  void FindInside(const std::vector<IpAddress>& world) {
    for (const IpAddress& address : world) {
      for (uint16_t port = 1; port <= kPorts; ++port) {
        for (const Transport transport : kTransports) {
          if (!WasSeen(address, port, transport) || !CanBe(address, port)) continue;
          for (const EmbeddedV4& embedded : FindEmbeddedV4(address)) {
            inside_.insert({Endpoint::Ip(embedded.address, port).ToString(), transport});
          }
        }
      }
    }
  }

  const LearnedPolicy& learned() const { return learned_; }

  static constexpr uint16_t kPorts = 4;

 private:
  static bool CanBe(const IpAddress& address, uint16_t port) {
    if (address.is_unspecified() || port == 0) return false;
    const EmbeddedV4List embedded = FindEmbeddedV4(address);
    return std::none_of(embedded.begin(), embedded.end(),
                        [](const EmbeddedV4& one) { return one.address.is_unspecified(); });
  }

  std::mt19937& random_;
  LearnedPolicy learned_;
  std::set<Asked> seen_;
  std::set<Asked> inside_;
};

TEST(LearnedPolicyProperty, AllowsExactlyWhatWasSeen) {
  std::mt19937 random(1);
  const std::vector<IpAddress> world = World();
  for (int round = 0; round < 60; ++round) {
    Log log(&random);
    log.Fill(world);
    log.See(world.front(), 1, Transport::kStream);
    log.FindInside(world);
    const std::string text = log.learned().ToString();
    const LoadedPolicy loaded = ParsePolicy(text);
    ASSERT_TRUE(loaded.policy.has_value()) << text;
    const Policy& policy = loaded.policy->roles.at(0).policy;
    for (const IpAddress& address : world) {
      for (uint16_t port = 1; port <= Log::kPorts + 1; ++port) {
        for (const Transport transport : kTransports) {
          const Verdict verdict = policy.Decide(Endpoint::Ip(address, port), transport);
          ASSERT_EQ(verdict.lets_through(), log.ShouldAllow(address, port, transport))
              << Endpoint::Ip(address, port).ToString() << " " << Word(transport) << "\n"
              << text;
        }
      }
    }
  }
}

}  // namespace
}  // namespace sockgate
