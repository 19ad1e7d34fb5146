// LearnedRules: the fewest rules that are easily read and allow what one role was seen to reach,
// and nothing else.
//
// Process: the command, unconfined. Pure.
// Of addresses nothing is generalised: they become a range only when all of it was seen, at the
// same ports. A name is allowed with whatever public addresses it leads to. One that led to an
// address of special purpose is so too, or it could not be looked up, and the address beside it.
// One thing is added: an IPv6 address that stands for an IPv4 one is only ever allowed when that
// one is too.

#ifndef SOCKGATE_TOOL_LEARNED_RULES_H_
#define SOCKGATE_TOOL_LEARNED_RULES_H_

#include <map>
#include <string>
#include <vector>

#include "broker/policy/cidr.h"
#include "broker/policy/port_set.h"
#include "broker/policy/rule.h"
#include "broker/policy/special_ranges.h"
#include "tool/seen_targets.h"

namespace sockgate {

struct LearnedRange {
  Cidr range;
  // The narrowest around all of it, or null. It ends nowhere within the range: a rule that reached
  // beyond it would not count inside.
  const SpecialRange* special = nullptr;
};

struct LearnedRule {
  // Two of the three are empty.
  std::vector<std::string> hosts;    // sorted
  std::vector<LearnedRange> ranges;  // sorted
  std::vector<std::string> paths;    // sorted

  std::vector<PortSet::Range> ports;  // sorted, as few as can be; none for paths
  Transports transports = Transports::Tcp();

  Sightings sightings;
  std::map<Denial, std::vector<std::string>> denied;  // with the targets
  // Not seen, but inside these IPv6 addresses that were.
  std::vector<std::string> inside;
};

// What was seen and no rule can allow.
struct Unreachable {
  std::string target;
  std::string fault;  // reads on after it
  Sightings sightings;
};

struct LearnedRules {
  std::vector<LearnedRule> rules;
  std::vector<Unreachable> unreachable;

  static LearnedRules From(const SeenTargets& seen);
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_LEARNED_RULES_H_
