// ResolverReader: the [resolver] table of a policy file.
//
// Process: broker, when it loads a policy, and the tools.

#ifndef SOCKGATE_BROKER_POLICY_RESOLVER_READER_H_
#define SOCKGATE_BROKER_POLICY_RESOLVER_READER_H_

#include "broker/policy/findings.h"
#include "broker/policy/toml_value.h"
#include "broker/resolver/resolver_options.h"

namespace sockgate {

ResolverOptions ReadResolver(const TomlValue::Table& entries, Findings* findings);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_RESOLVER_READER_H_
