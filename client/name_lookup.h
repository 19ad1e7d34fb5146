// Answers a getaddrinfo(3) call through the broker: literals and a null node here, names by
// BrokerClient::Resolve().
//
// Process: worker, confined. Threads: any; blocks for as long as Resolve() does.
// Input: node, service and hints may be hostile text; the broker judges every name.
//
// Where it differs from glibc:
// - AI_ADDRCONFIG does nothing: the interfaces of the host where the broker connects cannot be seen
//   from a worker. Addresses of both families come, and connecting tells which of them works.
// - AI_IDN and its kin do nothing: the name goes to the broker as it is.
// - The order is that of RFC 6724 as far as address_order.h has it.
// - A port beyond 65535 is an error.

#ifndef SOCKGATE_CLIENT_NAME_LOOKUP_H_
#define SOCKGATE_CLIENT_NAME_LOOKUP_H_

#include <netdb.h>

#include "client/broker_client.h"
#include "client/service_table.h"

namespace sockgate {

// Returns 0 with a list in `*list`, or an EAI_* code. For a lookup that failed, errno has the
// ConnectError's error_number (EACCES exactly when the policy denied), and the log (lookup_log.h)
// all of it:
//   EAI_FAIL     denied; an answer of no use; this broker resolves nothing; no broker any more, for
//                good
//   EAI_NONAME   no such name     EAI_NODATA  no address of that family
//   EAI_AGAIN    no answer in time; over a limit; no broker now     EAI_SYSTEM  no descriptor left
int LookUp(BrokerClient& client, const ServiceTable& services, const char* node,
           const char* service, const addrinfo* hints, addrinfo** list);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_NAME_LOOKUP_H_
