// ApplySocketOptions: what a role wants of every socket, set on a fresh one.
//
// Process: broker, the loop's thread. Never blocks, allocates nothing, makes no system call for
// what is not set. The options are trusted; the endpoint is the worker's, but the policy allowed
// it.
//
// By family and transport: a source address binds sockets of its own family, traffic class and
// service type likewise; what is TCP's alone is left out for UDP. A UNIX socket gets nothing.
//
// Sources: ip(7), ipv6(7), tcp(7), socket(7).

#ifndef SOCKGATE_BROKER_SOCKET_OPTIONS_H_
#define SOCKGATE_BROKER_SOCKET_OPTIONS_H_

#include "broker/policy/role.h"
#include "proto/endpoint.h"
#include "proto/messages.h"

namespace sockgate {

// 0, or the errno of the first that the kernel refused: nobody may connect that socket then.
// ENODEV: no such interface; ENOENT: no such congestion control; EADDRNOTAVAIL: the source is no
// address of this host; EPERM: a mark without CAP_NET_ADMIN (or, from Linux 5.17, CAP_NET_RAW).
int ApplySocketOptions(int socket, const Endpoint& endpoint, Transport transport,
                       const SocketOptions& options);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_SOCKET_OPTIONS_H_
