// Rules, names and questions in few words, for tests. What does not parse throws.

#ifndef SOCKGATE_TESTS_BROKER_POLICY_MAKE_RULES_H_
#define SOCKGATE_TESTS_BROKER_POLICY_MAKE_RULES_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "broker/policy/policy.h"

namespace sockgate::testing {

inline Rule OnTarget(Decision decision, Rule::Target target, absl::string_view ports) {
  Rule rule = {decision, std::move(target), PortSet::Parse(ports).value()};
  if (decision == Decision::kDeny) rule.transports = Transports::Both();
  return rule;
}

inline Rule OnCidr(Decision decision, absl::string_view cidr, absl::string_view ports = "*") {
  return OnTarget(decision, Cidr::Parse(cidr).value(), ports);
}

inline Rule OnHost(Decision decision, absl::string_view pattern, absl::string_view ports = "*") {
  return OnTarget(decision, HostPattern::Parse(pattern).value(), ports);
}

inline Rule OnPublic(Decision decision, absl::string_view ports = "*") {
  return OnTarget(decision, PublicHosts(), ports);
}

inline Rule OnUnix(Decision decision, absl::string_view path) {
  return OnTarget(decision, UnixPath::Parse(path).value(), "*");
}

inline Rule Private(Rule rule) {
  rule.private_addresses = true;
  return rule;
}

inline Rule Udp(Rule rule) {
  rule.transports = Transports::Udp();
  return rule;
}

inline Endpoint At(absl::string_view address, uint16_t port) {
  return Endpoint::Ip(IpAddress::Parse(address).value(), port);
}

inline HostName Name(absl::string_view text) { return HostName::Parse(text).value(); }

// "allow 1 none", "deny 0 no-rule-matches": decision, rule number, reason.
inline std::string InWords(const Verdict& verdict) {
  return absl::StrCat(Word(verdict.decision), " ", verdict.rule, " ", Word(verdict.reason));
}

// Of a TCP connection to an address that the names, if any, were resolved to.
inline std::string Said(const Policy& policy, const Endpoint& endpoint,
                        const std::vector<std::string>& names = {}) {
  std::vector<HostName> parsed;
  for (const std::string& name : names) parsed.push_back(Name(name));
  std::vector<const HostName*> pointers;
  for (const HostName& name : parsed) pointers.push_back(&name);
  return InWords(policy.Decide(endpoint, Transport::kStream, pointers));
}

inline std::string SaidOfUdp(const Policy& policy, const Endpoint& endpoint) {
  return InWords(policy.Decide(endpoint, Transport::kDatagram));
}

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_BROKER_POLICY_MAKE_RULES_H_
