// Users and groups of the machine, as a policy file names them.
//
// Process: broker, when it loads a policy, and the tools. Blocking: as long as the user database
// takes.

#ifndef SOCKGATE_BROKER_POLICY_ACCOUNTS_H_
#define SOCKGATE_BROKER_POLICY_ACCOUNTS_H_

#include <sys/types.h>

#include <optional>

#include "absl/strings/string_view.h"
#include "broker/policy/findings.h"
#include "broker/policy/toml_value.h"

namespace sockgate {

// A name that the machine knows, or a number; else nothing and an error. `key` is for messages.
std::optional<uid_t> ReadUser(absl::string_view key, const TomlValue& value, Findings* findings);
std::optional<gid_t> ReadGroup(absl::string_view key, const TomlValue& value, Findings* findings);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_ACCOUNTS_H_
