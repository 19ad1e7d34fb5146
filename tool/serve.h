// sockgate serve: the broker as a daemon, on one path by rules of the command line, or by a policy
// file; under a service manager, with the sockets that it hands over, or by itself.
//
// Process: the broker. Trusted input: the command line, the environment.

#ifndef SOCKGATE_TOOL_SERVE_H_
#define SOCKGATE_TOOL_SERVE_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "broker/policy/audit_overflow.h"
#include "confine/cage_level.h"

namespace sockgate {

struct ServeOptions {
  std::string policy_file;  // empty: the three below
  std::string listen;
  std::vector<std::string> allow;  // CIDR:PORTS
  std::vector<std::string> deny;   // CIDR:PORTS
  std::string control;             // a path, for a broker with a policy file; empty: none
  std::string audit_file = "-";    // "-": standard error; "journald": the system's journal
  AuditOverflow audit_overflow = AuditOverflow::kDeny;  // for a broker without a policy file
  std::string user;                                     // whom to run as; empty: whoever started it
  confine::CageLevel cage = confine::CageLevel::kFull;
  uint32_t threads = 1;
  uint32_t spin_us = 0;
  // How long what was begun may take to end after the first SIGTERM or SIGINT.
  std::chrono::milliseconds finish_time = Broker::kFinishTime;
};

// Serves until SIGTERM or SIGINT, after which nothing new is begun; a second one does not wait for
// what was. SIGHUP opens the audit log anew and reads the policy file anew, if there is one. Returns
// the exit status.
int Serve(const ServeOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_SERVE_H_
