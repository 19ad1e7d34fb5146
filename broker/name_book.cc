#include "broker/name_book.h"

#include <algorithm>
#include <cstring>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace sockgate {

size_t NameBook::Bytes::operator()(const IpAddress& address) const {
  return absl::Hash<absl::string_view>()(
      {reinterpret_cast<const char*>(address.data()), address.size()});
}

void NameBook::Lease(const IpAddress& address, const HostName& name, TimePoint until, TimePoint now,
                     size_t most) {
  Expire(now);
  const auto held = by_address_.find(address);
  const bool known = held != by_address_.end() && Renew(&held->second, name, until);
  if (!known) {
    const bool full =
        held != by_address_.end() && held->second.names.size() == kMostNamesOfAnAddress;
    if (full) Remove(*held->second.leases.front());
    if (until > now) Add(address, name, until);
  }
  while (leases_.size() > most) Remove(leases_.front());
}

Names NameBook::Find(const IpAddress& address, TimePoint now) {
  Expire(now);
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? Names() : Names(found->second.names);
}

void NameBook::Expire(TimePoint now) {
  while (!ends_.empty() && ends_.begin()->first <= now) Remove(*ends_.begin()->second);
}

void NameBook::Add(const IpAddress& address, const HostName& name, TimePoint until) {
  leases_.push_back({address, name, until});
  const auto lease = std::prev(leases_.end());
  ends_.emplace(until, &*lease);
  Held& held = by_address_[address];
  held.leases.push_back(lease);
  held.names.push_back(&lease->name);
}

bool NameBook::Renew(Held* held, const HostName& name, TimePoint until) {
  const auto named = std::find_if(held->names.begin(), held->names.end(),
                                  [&](const HostName* known) { return *known == name; });
  if (named == held->names.end()) return false;
  const auto place = held->leases.begin() + (named - held->names.begin());
  const Leases::iterator lease = *place;
  if (until > lease->until) {
    auto end = ends_.extract({lease->until, &*lease});
    lease->until = until;
    end.value().first = until;
    ends_.insert(std::move(end));
  }
  leases_.splice(leases_.end(), leases_, lease);
  std::rotate(place, place + 1, held->leases.end());
  std::rotate(named, named + 1, held->names.end());
  return true;
}

void NameBook::Remove(const OneLease& lease) {
  ends_.erase({lease.until, &lease});
  const auto found = by_address_.find(lease.address);
  Held& held = found->second;
  const auto name = std::find(held.names.begin(), held.names.end(), &lease.name);
  const auto place = held.leases.begin() + (name - held.names.begin());
  const Leases::iterator doomed = *place;
  held.names.erase(name);
  held.leases.erase(place);
  if (held.names.empty()) by_address_.erase(found);
  leases_.erase(doomed);
}

}  // namespace sockgate
