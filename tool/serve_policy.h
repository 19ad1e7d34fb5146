// sockgate serve --policy: a broker by a policy file, which can be read anew while it serves.
//
// Process: the broker. Trusted input: the command line; trusted but checked: the file.

#ifndef SOCKGATE_TOOL_SERVE_POLICY_H_
#define SOCKGATE_TOOL_SERVE_POLICY_H_

#include "tool/serve.h"

namespace sockgate {

// With an error in the file nothing is served. Returns the exit status.
int ServePolicy(const ServeOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_SERVE_POLICY_H_
