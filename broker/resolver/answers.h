// How answers to the broker are made, and how several are put together to one. Their `id` is left
// to who knows the question.
//
// Process: resolver. Pure functions.

#ifndef SOCKGATE_BROKER_RESOLVER_ANSWERS_H_
#define SOCKGATE_BROKER_RESOLVER_ANSWERS_H_

#include <cstdint>
#include <vector>

#include "broker/resolver/resolver_messages.h"

namespace sockgate {

// How long a name from the hosts file, or localhost, holds.
inline constexpr uint32_t kHostsTtlSeconds = 60;

ResolverAnswer AnswerFromHosts(const std::vector<IpAddress>& addresses);

// An answer without addresses, which holds for no time.
ResolverAnswer EmptyAnswer(ResolverStatus status);

// "No such name" and "no address": what a name server says for certain, unlike the other failures.
bool IsNegative(const ResolverAnswer& answer);

// Leaves it out when it is there already, or when its family is full.
void AddAddress(const IpAddress& address, ResolverAnswer* answer);

// Of the two families of one name, or of several names that were tried in vain. Addresses of one
// are enough. Without any, what is less certain counts, and holds as long as both do.
ResolverAnswer Merge(const ResolverAnswer& one, const ResolverAnswer& other);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_ANSWERS_H_
