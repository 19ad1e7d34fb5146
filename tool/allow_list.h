// AllowList: the --allow options of one command, as rules of a policy.
//
// Process: the launcher, unconfined; a host name is looked up there. Trusted input: the command
// line.

#ifndef SOCKGATE_TOOL_ALLOW_LIST_H_
#define SOCKGATE_TOOL_ALLOW_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "broker/policy/policy.h"
#include "tool/host_table.h"

namespace sockgate {

class AllowList {
 public:
  // The table is lent.
  explicit AllowList(HostTable* hosts) : hosts_(hosts) {}

  // `text` is HOST:PORTS or CIDR:PORTS, IPv6 in brackets. A host becomes one rule for each of its
  // addresses.
  absl::Status Add(absl::string_view text);

  const std::vector<Rule>& rules() const { return rules_; }

  // The option that made the rule with this number, as the user wrote it.
  absl::string_view Source(uint32_t rule) const;

 private:
  absl::Status AddHost(absl::string_view host, absl::string_view ports, absl::string_view text);

  HostTable* const hosts_;
  std::vector<Rule> rules_;
  std::vector<std::string> sources_;  // of the rule at the same index
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_ALLOW_LIST_H_
