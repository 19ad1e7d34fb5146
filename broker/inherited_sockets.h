// InheritedSockets: listening sockets that the service manager has bound, and hands over by path.
//
// Process: broker, first of all, before it opens anything. Owns those that nobody has taken.
// Threads: one, while no other reads the environment.
// Trusted but checked: environment and descriptors, for a socket of another kind would be served as
// if it were ours. Each must listen, be a SOCK_SEQPACKET one, and have a path.
// Failure: an error that names the socket; nothing should be served then.
//
// Sources: sd_listen_fds(3), systemd.socket(5).

#ifndef SOCKGATE_BROKER_INHERITED_SOCKETS_H_
#define SOCKGATE_BROKER_INHERITED_SOCKETS_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/unique_fd.h"

namespace sockgate {

class InheritedSockets {
 public:
  // Takes LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES out of the environment. None where they are
  // missing or meant for another process. The sockets are close-on-exec and non-blocking from then
  // on.
  static absl::StatusOr<InheritedSockets> FromEnvironment();

  // The one that is bound to this path, once; an invalid descriptor: there is none.
  UniqueFd Take(const std::string& path);

  // An error that names those that nobody has taken, if there are any.
  absl::Status CheckAllTaken() const;

 private:
  struct Socket {
    UniqueFd descriptor;
    std::string name;  // for messages: its number, and what its unit calls it
  };

  absl::Status Add(Socket socket);

  std::map<std::string, Socket> by_path_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_INHERITED_SOCKETS_H_
