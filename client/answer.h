// What the broker answered, with a lifetime of its own: a reply has views into a channel's buffer.
//
// Process: worker, confined. Values; a ConnectResult owns its socket.

#ifndef SOCKGATE_CLIENT_ANSWER_H_
#define SOCKGATE_CLIENT_ANSWER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "client/connect_error.h"
#include "proto/ip_address.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate {

struct ConnectResult {
  ConnectError error;
  UniqueFd socket;       // non-blocking and close-on-exec; valid exactly when error.ok()
  bool started = false;  // the handshake may still go on: wait until writable, then read SO_ERROR
  // The broker holds a duplicate until the connection ends. CurlAdapter sees to it; a caller without
  // libcurl must call shutdown(2) with SHUT_RDWR before close(2), or the peer hears no FIN and the
  // connection stays counted against the worker's own limit.
  bool tracked = false;
  uint32_t rule = 0;      // the rule that allowed it
  bool prepared = false;  // it had been asked for ahead of need
};

struct ResolveResult {
  ConnectError error;
  std::vector<IpAddress> addresses;  // IPv6 first; each family in the resolver's order
  uint32_t ttl_seconds = 0;          // for as long the addresses may be kept
  std::string canonical_name;        // empty when the resolver gave none
  uint32_t rule = 0;                 // the rule that allowed the name
};

// `kind` is how the exchange ended; `reply` is the answer, of the kind that goes with the result,
// where that is kNone. The socket is the caller's affair.
void TakeAnswer(ConnectError::Kind kind, const Reply& reply, ConnectResult* result);
void TakeAnswer(ConnectError::Kind kind, const Reply& reply, ResolveResult* result);

// Whether the broker has said all that it has to say about a name.
bool IsSaid(const ConnectError& error);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_ANSWER_H_
