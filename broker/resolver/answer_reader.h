// Reads DNS messages: what a name server said, as an answer to the broker.
//
// Process: resolver, confined. A pure function.
// Hostile inputs: all of it. c-ares has compared the message's id and question with what was asked,
// nothing else. The bytes are read by glibc's libresolv (ns_initparse(3) and its like): c-ares 1.18
// keeps the authority section to itself, which says how long "no" holds, and takes an alias for
// part of the chain whoever's alias it is.
// Failure: a message that is not whole and well-formed to its last byte is kFailed.
// Sources: RFC 1035 section 4.1, RFC 2181 section 8 (TTL), RFC 2308 (negative answers).

#ifndef SOCKGATE_BROKER_RESOLVER_ANSWER_READER_H_
#define SOCKGATE_BROKER_RESOLVER_ANSWER_READER_H_

#include <cstdint>

#include "absl/types/span.h"
#include "broker/resolver/resolver_messages.h"

namespace sockgate {

// The message asks for A or AAAA of one name, and answers it; the answer's `id` is left at 0.
//
// Addresses are those of the asked name, or of the end of its chain of aliases, which has to be in
// order. They hold as long as the shortest-lived record on the way. An IPv4 address in IPv6
// clothing is dropped: no name server has reason to send one, and it would be connected to as IPv4.
//
// "No such name" and "no address" hold as long as the aliases, the SOA record of a zone that the
// end of the chain is in, and the MINIMUM of that record; without one for 0 s (RFC 2308, section
// 5). A referral to other name servers is no answer: kTryAgain.
ResolverAnswer ReadAnswer(absl::Span<const uint8_t> message);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_ANSWER_READER_H_
