// sockgate serve: the broker as a daemon on a path.
//
// Process: the broker. Trusted input: the command line.

#ifndef SOCKGATE_TOOL_SERVE_H_
#define SOCKGATE_TOOL_SERVE_H_

#include <string>
#include <vector>

namespace sockgate {

struct ServeOptions {
  std::string listen;
  std::vector<std::string> allow;  // CIDR:PORTS
  std::vector<std::string> deny;   // CIDR:PORTS
  std::string audit_file = "-";    // "-": standard error
};

// Serves until SIGTERM or SIGINT. Returns the exit status.
int Serve(const ServeOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_SERVE_H_
