// Decide() against a reference that goes through all rules, over random policies and questions that
// meet often: a few ranges, mostly around the borders of special ones, a few names, a few ports.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>

#include "broker/policy/embedded_v4.h"
#include "broker/policy/policy.h"
#include "broker/policy/special_ranges.h"
#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

constexpr int kPolicies = 1000;
constexpr int kQuestionsEach = 100;

constexpr std::array<const char*, 24> kRanges = {
    "0.0.0.0/0",     "8.0.0.0/5",    "9.0.0.0/8",      "9.9.9.9/32",     "10.0.0.0/8",
    "10.1.0.0/16",   "127.0.0.0/8",  "127.0.0.1/32",   "169.254.0.0/16", "169.254.169.254/32",
    "128.0.0.0/1",   "192.0.0.0/24", "::/0",           "2000::/3",       "2002::/16",
    "2002:a00::/24", "64:ff9b::/96", "64:ff9b:1::/48", "fc00::/7",       "fd00:ec2::254/128",
    "2620:fe::/48",  "::/96",        "fe80::/10",      "2001::/32"};
constexpr std::array<const char*, 26> kAddresses = {"0.0.0.0",
                                                    "0.0.0.1",
                                                    "7.255.255.255",
                                                    "8.0.0.0",
                                                    "9.9.9.9",
                                                    "9.9.9.10",
                                                    "10.0.0.0",
                                                    "10.1.2.3",
                                                    "11.0.0.0",
                                                    "127.0.0.1",
                                                    "169.254.169.254",
                                                    "169.254.169.253",
                                                    "192.0.0.9",
                                                    "255.255.255.255",
                                                    "::",
                                                    "::1",
                                                    "::10.1.2.3",
                                                    "64:ff9b::9.9.9.9",
                                                    "64:ff9b::a01:203",
                                                    "64:ff9b:1::7f00:1",
                                                    "2002:a01:203::1",
                                                    "2002:909:909::1",
                                                    "2620:fe::fe",
                                                    "fd00:ec2::254",
                                                    "fe80::5efe:9.9.9.9",
                                                    "2001:0:909:909::f6fe:fdfc"};
constexpr std::array<const char*, 7> kPatterns = {
    "example.com", "*.example.com", "www.example.com", "*.www.example.com", "a.org", "*.org",
    "org"};
constexpr std::array<const char*, 6> kNames = {
    "example.com", "www.example.com", "a.www.example.com", "a.org", "b.a.org", "org"};
constexpr std::array<const char*, 6> kPorts = {"*", "80", "80,443", "1-442", "443-65535", "81"};

class World {
 public:
  explicit World(uint32_t seed) : random_(seed) {}

  Rule AnyRule() {
    const Decision decision = OneIn(3) ? Decision::kDeny : Decision::kAllow;
    Rule rule = OnTarget(decision, AnyTarget(), Pick(kPorts));
    if (OneIn(4)) rule.transports = Transports::Udp();
    if (OneIn(8)) rule.transports = Transports::Both();
    rule.private_addresses = decision == Decision::kAllow && OneIn(3) &&
                             std::holds_alternative<HostPattern>(rule.target);
    return rule;
  }

  std::vector<Rule> AnyRules() {
    std::vector<Rule> rules;
    for (size_t count = random_() % 12; count > 0; --count) rules.push_back(AnyRule());
    return rules;
  }

  Endpoint AnyEndpoint() {
    constexpr std::array<uint16_t, 5> kAsked = {1, 80, 81, 443, 65535};
    return At(Pick(kAddresses), Pick(kAsked));
  }

  std::vector<HostName> AnyNames() {
    std::vector<HostName> names;
    for (size_t count = random_() % 3; count > 0; --count) names.push_back(Name(Pick(kNames)));
    return names;
  }

  std::vector<Cidr> AnyOwn() {
    std::vector<Cidr> own;
    for (const char* range : {"127.0.0.0/8", "9.9.9.9/32", "2620:fe::/48"}) {
      if (OneIn(4)) own.push_back(Cidr::Parse(range).value());
    }
    return own;
  }

  bool OneIn(uint32_t n) { return random_() % n == 0; }

 private:
  template <typename T, size_t N>
  T Pick(const std::array<T, N>& from) {
    return from[random_() % N];
  }

  Rule::Target AnyTarget() {
    switch (random_() % 5) {
      case 0:
        return PublicHosts();
      case 1:
      case 2:
        return HostPattern::Parse(Pick(kPatterns)).value();
      default:
        return Cidr::Parse(Pick(kRanges)).value();
    }
  }

  std::mt19937 random_;
};

struct Asked {
  Endpoint endpoint;
  Transport transport;
  std::vector<HostName> names;
};

bool HasName(const Rule& rule, const Asked& asked) {
  const auto* pattern = std::get_if<HostPattern>(&rule.target);
  return pattern != nullptr &&
         std::any_of(asked.names.begin(), asked.names.end(),
                     [&](const HostName& name) { return pattern->Matches(name); });
}

// Whether the rule says anything of this address, asked for under these names.
bool Applies(const Rule& rule, const IpAddress& address, const SpecialRange* special,
             const Asked& asked) {
  if (!rule.ports.Contains(asked.endpoint.port())) return false;
  if (!rule.transports.Contains(asked.transport)) return false;
  const bool allows = rule.decision == Decision::kAllow;
  if (std::holds_alternative<PublicHosts>(rule.target)) return special == nullptr;
  if (HasName(rule, asked)) return !allows || special == nullptr || rule.private_addresses;
  const auto* cidr = std::get_if<Cidr>(&rule.target);
  if (cidr == nullptr || !cidr->Contains(address)) return false;
  return !allows || special == nullptr || special->range.Contains(*cidr);
}

bool IsClosed(const std::vector<Cidr>& own, const IpAddress& address) {
  return address.is_unspecified() || std::any_of(own.begin(), own.end(), [&](const Cidr& range) {
           return range.Contains(address);
         });
}

bool ReferenceAllows(const std::vector<Rule>& rules, const IpAddress& address, const Asked& asked) {
  const SpecialRange* special = FindSpecialRange(address);
  bool allowed = false;
  for (const Rule& rule : rules) {
    if (!Applies(rule, address, special, asked)) continue;
    if (rule.decision == Decision::kDeny) return false;
    allowed = true;
  }
  return allowed;
}

// The address and those within it.
std::vector<IpAddress> AllOf(const IpAddress& address) {
  std::vector<IpAddress> all = {address};
  for (const EmbeddedV4& embedded : FindEmbeddedV4(address)) all.push_back(embedded.address);
  return all;
}

Decision Reference(const std::vector<Rule>& rules, const std::vector<Cidr>& own, PolicyMode mode,
                   const Asked& asked) {
  const std::vector<IpAddress> all = AllOf(asked.endpoint.ip());
  const bool closed = std::any_of(all.begin(), all.end(),
                                  [&](const IpAddress& address) { return IsClosed(own, address); });
  if (closed) return Decision::kDeny;
  const bool allowed = std::all_of(all.begin(), all.end(), [&](const IpAddress& address) {
    return ReferenceAllows(rules, address, asked);
  });
  if (allowed) return Decision::kAllow;
  const bool reported = mode == PolicyMode::kReport && asked.transport == Transport::kStream;
  return reported ? Decision::kWouldDeny : Decision::kDeny;
}

// The rule that the verdict names must be one that says so, of the address or of one within it.
bool IsHonest(const std::vector<Rule>& rules, const Verdict& verdict, const Asked& asked) {
  const bool denies = verdict.decision != Decision::kAllow;
  if (verdict.rule == 0) return denies && verdict.reason != Reason::kDenyRule;
  const Rule& rule = rules.at(verdict.rule - 1);
  if ((rule.decision == Decision::kDeny) != denies) return false;
  const IpAddress& address = asked.endpoint.ip();
  if (Applies(rule, address, FindSpecialRange(address), asked)) return true;
  const EmbeddedV4List within = FindEmbeddedV4(address);
  return denies && std::any_of(within.begin(), within.end(), [&](const EmbeddedV4& embedded) {
           return Applies(rule, embedded.address, FindSpecialRange(embedded.address), asked);
         });
}

TEST(PolicyPropertyTest, AgreesWithAReferenceThatGoesThroughAllRules) {
  int allowed = 0;
  for (uint32_t seed = 0; seed < kPolicies; ++seed) {
    World world(seed);
    const std::vector<Rule> rules = world.AnyRules();
    const std::vector<Cidr> own = world.AnyOwn();
    const PolicyMode mode = world.OneIn(4) ? PolicyMode::kReport : PolicyMode::kEnforce;
    const Policy policy(rules, mode, {own, {}});
    for (int i = 0; i < kQuestionsEach; ++i) {
      const Asked asked = {world.AnyEndpoint(),
                           world.OneIn(4) ? Transport::kDatagram : Transport::kStream,
                           world.AnyNames()};
      std::vector<const HostName*> names;
      for (const HostName& name : asked.names) names.push_back(&name);
      const Verdict verdict = policy.Decide(asked.endpoint, asked.transport, names);
      ASSERT_EQ(Word(verdict.decision), Word(Reference(rules, own, mode, asked)))
          << "seed " << seed << " question " << i << " " << asked.endpoint.ToString() << ": "
          << InWords(verdict);
      ASSERT_TRUE(IsHonest(rules, verdict, asked)) << "seed " << seed << " question " << i;
      allowed += verdict.decision == Decision::kAllow ? 1 : 0;
    }
  }
  // Else the two would agree about nothing but denials.
  EXPECT_GT(allowed, kPolicies * kQuestionsEach / 20);
}

}  // namespace
}  // namespace sockgate::testing
