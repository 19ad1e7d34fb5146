// SocketOptionsReader: the table `sockets` of a role.
//
// Process: broker, when it loads a policy, and the tools.

#ifndef SOCKGATE_BROKER_POLICY_SOCKET_OPTIONS_READER_H_
#define SOCKGATE_BROKER_POLICY_SOCKET_OPTIONS_READER_H_

#include "broker/policy/findings.h"
#include "broker/policy/role.h"
#include "broker/policy/toml_value.h"

namespace sockgate {

SocketOptions ReadSocketOptions(const TomlValue::Table& entries, Findings* findings);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_SOCKET_OPTIONS_READER_H_
