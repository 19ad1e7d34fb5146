// LoadServablePolicy: LoadPolicyFile() for a broker that serves by it.
//
// Process: broker, in a thread that serves nobody. Blocking: as LoadPolicyFile().

#ifndef SOCKGATE_BROKER_CONTROL_SERVABLE_POLICY_H_
#define SOCKGATE_BROKER_CONTROL_SERVABLE_POLICY_H_

#include <string>

#include "broker/policy/policy_file.h"

namespace sockgate {

// Errors here beside those of the language: a policy without a path, which nobody could ask for
// anything, and a deny rule on a host, since this broker looks no names up. An allow rule on a host
// is warned of.
LoadedPolicy LoadServablePolicy(const std::string& path);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONTROL_SERVABLE_POLICY_H_
