// ListenReader: the [[listen]] tables of a policy file.
//
// Process: broker, when it loads a policy, and the tools.

#ifndef SOCKGATE_BROKER_POLICY_LISTEN_READER_H_
#define SOCKGATE_BROKER_POLICY_LISTEN_READER_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "broker/policy/findings.h"
#include "broker/policy/listen_at.h"
#include "broker/policy/toml_value.h"

namespace sockgate {

// `listen` is null when the file has none. `roles`: the names that a table may give.
std::vector<ListenAt> ReadListen(const TomlEntry* listen,
                                 const std::vector<absl::string_view>& roles, Findings* findings);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_LISTEN_READER_H_
