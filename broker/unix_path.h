// ConnectUnixPath: connects a socket to exactly the path that was allowed.
//
// Process: broker, the loop's thread. Allocates nothing. Does not wait for the listener: a full
// backlog is EAGAIN. It waits for the file system that the path lies on, which the policy names.
// Hostile input: whoever may write to a folder on the way, and would have the broker reach another
// socket by a symbolic link. connect(2) follows links, at the end of a path and on the way to it;
// so the path is opened first, with every link refused, and what was opened is what is connected:
// nothing that happens to the path afterwards changes that. What remains: that somebody may put
// another socket itself into a folder of theirs. A rule should name no such folder.
// Whose connection it is: the broker's. The modes of folders and socket are checked against the
// broker, and whoever listens sees the broker's user in SO_PEERCRED, not the worker's. So a rule
// should name no socket whose owner grants by user what the worker shall not have.
//
// Needs openat2(2), Linux 5.6, and /proc. Sources: openat2(2), unix(7), proc(5).

#ifndef SOCKGATE_BROKER_UNIX_PATH_H_
#define SOCKGATE_BROKER_UNIX_PATH_H_

#include "proto/endpoint.h"

namespace sockgate {

// `socket` is a UNIX stream socket. 0, or an errno: EINVAL for a name that is no absolute path,
// ELOOP for a link, ENOTSOCK, what open(2) and connect(2) say, and ENOSYS where the host lacks
// what this needs.
int ConnectUnixPath(int socket, const Endpoint& endpoint);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_UNIX_PATH_H_
