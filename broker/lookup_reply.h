// LookupReply: what a worker learns of an answer: the addresses that its policy lets it reach at
// some port under the name, and no others.
//
// Process: broker. Judging is pure; leasing writes into the worker's name book.
// Hostile input: the answer. The reply that is made of it can be encoded.

#ifndef SOCKGATE_BROKER_LOOKUP_REPLY_H_
#define SOCKGATE_BROKER_LOOKUP_REPLY_H_

#include "broker/dns_cache.h"
#include "broker/lookup.h"

namespace sockgate {

// Judges the answer by the policy that the worker has now. Every address that is left, of either
// family, is leased to the worker under the name; those of the family asked for are in the reply,
// whose canonical name is a view into the answer.
LookupEnd ReplyTo(const Lookup& lookup, const DnsCache::Hit& hit, LookupEnd::Source source,
                  TimePoint now);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_LOOKUP_REPLY_H_
