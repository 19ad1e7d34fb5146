// AllowList: the --allow, --allow-private and --deny options of one command, as rules of a policy.
//
// Process: the launcher, unconfined. Pure: no name is looked up. Trusted input: the command line;
// yet a person pastes what a stranger wrote, so a host goes through the same parser as in a policy.

#ifndef SOCKGATE_TOOL_ALLOW_LIST_H_
#define SOCKGATE_TOOL_ALLOW_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/policy/rule.h"

namespace sockgate {

class AllowList {
 public:
  // --allow: "example.com:443", "*.example.com:80,443", "public:443" for every public address and
  // the names that lead there, "192.0.2.0/24:*", "[2001:db8::/32]:80". A name may lead to public
  // addresses only; localhost and names below it to any, since the broker's resolver answers them
  // without the DNS (RFC 6761), so nobody else can aim them.
  // The error says what to write.
  absl::Status Add(absl::string_view text);

  // --allow-private: a name or pattern, which may lead to addresses of special purpose too.
  absl::Status AddPrivate(absl::string_view text);

  // --deny: as --allow; whatever else allows it. A name that is denied at every port ("host:*") is
  // not even looked up.
  absl::Status AddDenied(absl::string_view text);

  // One for each option, in their order.
  const std::vector<Rule>& rules() const { return rules_; }

  // The option that made the rule with this number, as the user wrote it: "--allow
  // example.com:443".
  absl::string_view Source(uint32_t rule) const;

 private:
  absl::Status Keep(absl::StatusOr<Rule> rule, absl::string_view option, absl::string_view text);

  std::vector<Rule> rules_;
  std::vector<std::string> sources_;  // of the rule at the same index
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_ALLOW_LIST_H_
