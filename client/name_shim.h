// The name shim: getaddrinfo(), freeaddrinfo(), connect() and socket() of the whole process, so
// that whatever libcurl looks up (hosts, redirects, proxies, FTP's data hosts) goes through the
// broker.
//
// Usage, in main() and before confinement:
//   absl::Status armed = sockgate::ArmNameShim(client.get());
//
// Process: worker. Not armed, each of the four is libc's. Armed:
//   getaddrinfo  literals here, names through BrokerClient::Resolve (name_lookup.h)
//   connect      answers for a socket that CurlAdapter got from the broker and that goes where the
//                broker pointed it: 0, or EINPROGRESS while the handshake goes on; all else is
//                libc's
//   socket       libc's; but where it refuses (EACCES, EPERM) an IPv6 datagram socket, which is how
//                libcurl asks whether there is IPv6, it answers with an eventfd(2), on which every
//                socket call fails
//   freeaddrinfo libc's, for lists of both
//
// Linking. The four are defined in the object file of ArmNameShim(), so whoever calls it has them,
// from an archive or a shared library, with --gc-sections and --as-needed, and by LD_PRELOAD.
// ArmNameShim() makes sure that calls from other libraries arrive here. A program that loads
// libcurl with dlopen(3) may need -rdynamic for that. In a wholly static program there is no other
// libc to pass on to: unarmed, connect() and socket() are system calls and getaddrinfo() is
// EAI_SYSTEM with ENOSYS.
//
// Ownership: the client is the caller's and must outlive DisarmNameShim().
// Threads: all of it from any thread. DisarmNameShim() waits for lookups in progress.
// fork(2): a child stays armed, and its lookups fail (see BrokerClient).
//
// Sources: getaddrinfo(3), RFC 3493, RFC 6724, dlsym(3).

#ifndef SOCKGATE_CLIENT_NAME_SHIM_H_
#define SOCKGATE_CLIENT_NAME_SHIM_H_

#include "absl/status/status.h"
#include "client/broker_client.h"

namespace sockgate {

// Reads /etc/services the first time, so arm before confinement; afterwards well-known services
// alone have names. InvalidArgument: no client. FailedPrecondition: armed already, or calls of
// other libraries do not arrive here.
absl::Status ArmNameShim(BrokerClient* client);

// Does nothing when it is not armed.
void DisarmNameShim();

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_NAME_SHIM_H_
