// SeenDecision: a decision, as a line of the audit log tells of it. broker/AUDIT.md has the fields.
//
// Process: the command, unconfined. A value type.
// Hostile input: the line; workers chose some of what is in it. Parsing is total.

#ifndef SOCKGATE_TOOL_SEEN_DECISION_H_
#define SOCKGATE_TOOL_SEEN_DECISION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/policy/verdict.h"
#include "proto/endpoint.h"
#include "proto/messages.h"

namespace sockgate {

// As one number that compares, such as 20260102; 0: the line has none.
using Date = uint32_t;

struct SeenDecision {
  std::string role;
  Endpoint target;
  Transport transport = Transport::kStream;
  Decision decision = Decision::kDeny;
  uint32_t rule = 0;       // 0: none decided
  uint32_t line = 0;       // of that rule; 0: not known
  uint64_t policy = 0;     // which one judged; 0: not known
  bool deny_rule = false;  // the reason was a deny rule
  bool own = false;        // the reason was that the broker itself is there
  // Those that led the worker to the target, as HostName::text(): what was judged.
  std::vector<std::string> names;
  uint32_t more_names = 0;  // than the line tells of
  Date date = 0;
};

// Nothing for a line about something else. The error reads on after "line 3 ", and never repeats
// the line.
absl::StatusOr<std::optional<SeenDecision>> ParseAuditLine(absl::string_view line);

// Whether the line, which is about no decision on a connection, tells of a name whose lookup was
// denied.
bool TellsOfDeniedName(absl::string_view line);

// What Endpoint::ToString() made, and nothing that could pass for it.
std::optional<Endpoint> ParseAuditTarget(absl::string_view text);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_SEEN_DECISION_H_
