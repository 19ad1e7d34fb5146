#include "broker/policy/rule_relation.h"

#include <algorithm>

namespace sockgate {
namespace {

bool IsPublic(const Rule& rule) { return std::holds_alternative<PublicHosts>(rule.target); }

// Whether all that the allow rule reaches is public.
bool ReachesPublicOnly(const Rule& allow) {
  const auto* cidr = std::get_if<Cidr>(&allow.target);
  if (cidr != nullptr) return FindSpecialRange(*cidr) == nullptr;
  return !IsUnix(allow) && !allow.private_addresses;
}

// A deny rule on a range holds for the special ranges in it too, one on names for their lookup too.
bool DeniesPublicOnly(const Rule& deny) {
  const auto* cidr = std::get_if<Cidr>(&deny.target);
  if (cidr == nullptr) return IsPublic(deny);
  const auto special = SpecialRanges();
  return std::none_of(special.begin(), special.end(), [&](const SpecialRange& one) {
    return one.range.Contains(*cidr) || cidr->Contains(one.range);
  });
}

// What `rule` opens of special ranges needs a rule that lies within the same one.
bool OpensAsMuch(const Rule& wide, const Rule& rule) {
  if (rule.private_addresses && !wide.private_addresses) return false;
  const auto* cidr = std::get_if<Cidr>(&rule.target);
  const auto* wide_cidr = std::get_if<Cidr>(&wide.target);
  if (cidr == nullptr || wide_cidr == nullptr) return true;
  const SpecialRange* special = FindSpecialRange(*cidr);
  return special == nullptr || special->range.Contains(*wide_cidr);
}

}  // namespace

bool IsUnix(const Rule& rule) { return std::holds_alternative<UnixPath>(rule.target); }

bool CoversPorts(const Rule& a, const Rule& b) {
  if (IsUnix(b)) return true;
  return a.transports.Contains(b.transports) && a.ports.Covers(b.ports);
}

bool SharesPorts(const Rule& a, const Rule& b) {
  if (IsUnix(b)) return true;
  const bool transport =
      (a.transports.Contains(Transport::kStream) && b.transports.Contains(Transport::kStream)) ||
      (a.transports.Contains(Transport::kDatagram) && b.transports.Contains(Transport::kDatagram));
  return transport && a.ports.Overlaps(b.ports);
}

bool Covers(const Rule& wide, const Rule& rule) {
  if (!CoversPorts(wide, rule)) return false;
  if (rule.decision == Decision::kDeny) return !IsPublic(wide) || DeniesPublicOnly(rule);
  return IsPublic(wide) ? ReachesPublicOnly(rule) : OpensAsMuch(wide, rule);
}

bool Undoes(const Rule& deny, const Rule& allow) {
  return CoversPorts(deny, allow) && (!IsPublic(deny) || ReachesPublicOnly(allow));
}

}  // namespace sockgate
