// RuleText: a learned rule as it stands in a policy file, with the evidence for it in comments.
//
// Process: the command, unconfined. Pure.
// Hostile input: paths. Nothing in them ends a comment or a string early.

#ifndef SOCKGATE_TOOL_RULE_TEXT_H_
#define SOCKGATE_TOOL_RULE_TEXT_H_

#include <string>

#include "tool/learned_rules.h"

namespace sockgate {

// Whole lines, indented as elements of an array are.
std::string RuleText(const LearnedRule& rule);

// Whole lines, all of them comments; none when there is nothing to tell.
std::string UnreachableText(const std::vector<Unreachable>& all);

// "Seen 12 times, 2026-01-02 to 2026-01-05".
std::string SightingsText(const Sightings& sightings);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_RULE_TEXT_H_
