// LoadServablePolicy: LoadPolicyFile() for a broker that serves by it.
//
// Process: broker, in a thread that serves nobody. Blocking: as LoadPolicyFile().

#ifndef SOCKGATE_BROKER_CONTROL_SERVABLE_POLICY_H_
#define SOCKGATE_BROKER_CONTROL_SERVABLE_POLICY_H_

#include <string>

#include "broker/policy/policy_file.h"

namespace sockgate {

// A policy without a path is one that nobody could ask for anything: an error here.
LoadedPolicy LoadServablePolicy(const std::string& path);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONTROL_SERVABLE_POLICY_H_
