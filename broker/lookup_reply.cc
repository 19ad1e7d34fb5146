#include "broker/lookup_reply.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "broker/policy/policy.h"
#include "broker/refusal.h"

namespace sockgate {
namespace {

int ErrorOf(ResolverStatus status) {
  switch (status) {
    case ResolverStatus::kNoName:
      return ENOENT;
    case ResolverStatus::kFound:
    case ResolverStatus::kNoAddress:
      return ENODATA;
    case ResolverStatus::kTryAgain:
    case ResolverStatus::kBusy:
      return EAGAIN;
    case ResolverStatus::kFailed:
      return EIO;
  }
  return EIO;
}

bool IsAskedFor(NameFamily family, const IpAddress& address) {
  return family == NameFamily::kAny || (family == NameFamily::kIpv4) == address.is_v4();
}

// The list is the address's own family's: a folded one among the IPv6 addresses could not be
// encoded.
void Add(const IpAddress& address, ResolveReply* reply) {
  uint8_t& count = address.is_v4() ? reply->v4_count : reply->v6_count;
  if (count == kMaxAddressesPerFamily) return;
  (address.is_v4() ? reply->v4 : reply->v6)[count++] = address;
}

Result ResultOf(const DnsAnswer& answer, const ResolveReply& reply,
                const std::optional<Verdict>& dropped) {
  Result result;
  result.outcome = Outcome::kResolved;
  if (reply.v4_count + reply.v6_count > 0) return result;
  return dropped.has_value() ? Denied(*dropped) : Failed(ErrorOf(answer.status), 0);
}

}  // namespace

LookupEnd ReplyTo(const Lookup& lookup, const DnsCache::Hit& hit, LookupEnd::Source source,
                  TimePoint now) {
  const Role& role = *lookup.worker->role;
  const HostName* const names[] = {&*lookup.name};
  // A second at the least: what the worker is told of it may connect to.
  const TimePoint until = now + std::chrono::seconds(std::max(hit.ttl_seconds, 1U)) +
                          std::chrono::milliseconds(role.limits.lease_grace_ms);
  LookupEnd end;
  end.source = source;
  std::optional<Verdict> dropped;  // the first of the family asked for
  for (const IpAddress& address : hit.answer->addresses) {
    const Verdict verdict = role.policy.DecideAddress(address, names);
    const bool asked_for = IsAskedFor(lookup.family, address);
    if (!verdict.lets_through()) {
      if (end.dropped < end.first_dropped.size()) end.first_dropped[end.dropped] = address;
      ++end.dropped;
      if (asked_for && !dropped.has_value()) dropped = verdict;
      continue;
    }
    if (verdict.decision == Decision::kWouldDeny) ++end.would_drop;
    lookup.worker->names.Lease(address, *lookup.name, until, now, role.limits.max_leases);
    if (asked_for) Add(address, &end.reply);
  }
  end.reply.result = ResultOf(*hit.answer, end.reply, dropped);
  if (end.reply.result.outcome != Outcome::kResolved) return end;
  end.reply.result.rule = lookup.verdict.has_value() ? lookup.verdict->rule : 0;
  end.reply.ttl_seconds = hit.ttl_seconds;
  end.reply.canonical_name = hit.answer->canonical_name;
  return end;
}

}  // namespace sockgate
