// LearnedPolicy: a policy that allows what was seen, made of the decisions in an audit log.
//
// Process: the command, unconfined. Pure. Its memory grows with the number of different places that
// were seen.
// Hostile input: the names of places, which workers chose; and those of roles, since a log can be
// forged. They end up in the policy as one string or in a comment, or only a comment says that they
// were left out.

#ifndef SOCKGATE_TOOL_LEARNED_POLICY_H_
#define SOCKGATE_TOOL_LEARNED_POLICY_H_

#include <map>
#include <string>

#include "tool/seen_decision.h"
#include "tool/seen_targets.h"

namespace sockgate {

class LearnedPolicy {
 public:
  // Whatever the decision was: which ones count is the caller's choice.
  void Add(const SeenDecision& decision);

  // Whether there is a role that a policy can have. A policy without one is none.
  bool has_role() const;

  // The file. The loader takes it when has_role(); the same decisions in any order make the same,
  // but for which of several rules it names that denied a place.
  std::string ToString() const;

 private:
  std::map<std::string, SeenTargets> roles_;
  Sightings sightings_;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_LEARNED_POLICY_H_
