// How a name server is laid out, in every message that has one: family, zero byte, port, scope id,
// 16 address bytes of which IPv4 uses four. RESOLVER.md, "Server".
//
// Process: broker, keeper and resolver. Internal to the codecs of this folder.

#ifndef SOCKGATE_BROKER_RESOLVER_SERVER_BYTES_H_
#define SOCKGATE_BROKER_RESOLVER_SERVER_BYTES_H_

#include "proto/bytes.h"
#include "proto/endpoint.h"

namespace sockgate {

void PutServer(ByteWriter& out, const Endpoint& server);
Endpoint GetServer(ByteReader& in);

IpAddress GetV4(ByteReader& in, const char* field);
// Fails for a mapped address: it belongs to IPv4, where rules for IPv4 judge it.
IpAddress GetV6(ByteReader& in, const char* field);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_SERVER_BYTES_H_
