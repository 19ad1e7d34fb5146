#include "client/lookups_ahead.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "client/address_order.h"

namespace sockgate {
namespace {

// The transfer that a name with no time to live was asked for has begun by then.
constexpr std::chrono::seconds kLeastAge(1);

bool IsSameName(absl::string_view a, absl::string_view b) {
  return absl::EqualsIgnoreCase(absl::StripSuffix(a, "."), absl::StripSuffix(b, "."));
}

}  // namespace

LookupAhead* LookupsAhead::Add(absl::string_view name, NameFamily family, TimePoint now) {
  LookupAhead* slot = nullptr;
  for (LookupAhead& one : slots_) {
    if (one.stage == Stage::kNone) slot = &one;
  }
  if (slot == nullptr && slots_.size() < kMost) slot = &slots_.emplace_back();
  if (slot == nullptr) {
    for (LookupAhead& one : slots_) {
      if (one.stage != Stage::kHere || one.awaited > 0) continue;
      if (slot == nullptr || one.since < slot->since) slot = &one;
    }
  }
  if (slot == nullptr) return nullptr;
  slot->stage = Stage::kQueued;
  slot->since = now;
  slot->name.assign(name.data(), name.size());
  slot->family = family;
  slot->result = ResolveResult();
  return slot;
}

LookupAhead* LookupsAhead::Find(absl::string_view name, NameFamily family) {
  for (LookupAhead& one : slots_) {
    if (one.stage == Stage::kNone || one.stage == Stage::kLost) continue;
    if (one.family == family && IsSameName(one.name, name)) return &one;
  }
  return nullptr;
}

LookupAhead* LookupsAhead::Queued() {
  LookupAhead* oldest = nullptr;
  for (LookupAhead& one : slots_) {
    if (one.stage != Stage::kQueued) continue;
    if (oldest == nullptr || one.since < oldest->since) oldest = &one;
  }
  return oldest;
}

LookupAhead* LookupsAhead::Sent(uint32_t id) {
  for (LookupAhead& one : slots_) {
    if (one.stage == Stage::kSent && one.id == id) return &one;
  }
  return nullptr;
}

void LookupsAhead::Miss(LookupAhead* lookup) {
  lookup->stage = lookup->awaited > 0 ? Stage::kLost : Stage::kNone;
}

void LookupsAhead::Expire(TimePoint now, std::chrono::milliseconds most_age) {
  for (LookupAhead& one : slots_) {
    if (one.stage == Stage::kNone || one.stage == Stage::kSent || one.awaited > 0) continue;
    const std::chrono::milliseconds ttl = std::max<std::chrono::milliseconds>(
        kLeastAge, std::chrono::seconds(one.result.ttl_seconds));
    if (now - one.since > std::min(most_age, ttl)) one.stage = Stage::kNone;
  }
}

void LookupsAhead::MissSent() {
  for (LookupAhead& one : slots_) {
    if (one.stage == Stage::kSent) Miss(&one);
  }
}

void LookupsAhead::MissAll() {
  for (LookupAhead& one : slots_) {
    if (one.stage != Stage::kNone) Miss(&one);
  }
}

std::optional<IpAddress> FirstToTry(const ResolveResult& result) {
  std::vector<HostAddress> ordered;
  for (const IpAddress& ip : result.addresses) ordered.push_back({ip, 0, false});
  if (ordered.empty()) return std::nullopt;
  OrderAddresses(&ordered);
  return ordered.front().ip;
}

}  // namespace sockgate
