#include "broker/policy/rule_reach.h"

#include <algorithm>
#include <iterator>

#include "broker/policy/embedded_v4.h"
#include "broker/policy/rule_relation.h"

namespace sockgate {
namespace {

IpAddress LastOf(const Cidr& cidr) {
  IpAddress::V6Bytes bytes = {};
  for (int bit = 0; bit < cidr.base().bits(); ++bit) {
    const size_t byte = static_cast<size_t>(bit) / 8;
    const auto mask = static_cast<uint8_t>(0x80 >> (bit % 8));
    const bool set = bit >= cidr.prefix() || (cidr.base().data()[byte] & mask) != 0;
    if (set) bytes[byte] |= mask;
  }
  if (!cidr.is_v4()) return IpAddress::V6(bytes);
  return IpAddress::V4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

bool IsOneAddress(const Cidr& cidr) { return cidr.prefix() == cidr.base().bits(); }

// All of the range stands for IPv4 addresses: then its ends do, and in the same form.
bool IsEmbedding(const Cidr& cidr) {
  const EmbeddedV4List first = FindEmbeddedV4(cidr.base());
  const EmbeddedV4List last = FindEmbeddedV4(LastOf(cidr));
  return !first.empty() && !last.empty() && first.begin()->form == last.begin()->form;
}

}  // namespace

RuleReach::RuleReach(const std::vector<PlacedRule>& rules, PolicyMode mode)
    : rules_(rules), mode_(mode), nest_(rules) {
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (Allows(i) && !IsUnix(rules_[i].rule)) Count(rules_[i].rule);
  }
  for (PortUnion* ports : {&to_names_, &to_private_, &to_ranges_, &to_v4_, &to_public_}) {
    ports->Build();
  }
}

void RuleReach::Count(const Rule& allow) {
  const auto* cidr = std::get_if<Cidr>(&allow.target);
  (cidr == nullptr ? to_names_ : to_ranges_).Add(allow);
  if (allow.private_addresses) to_private_.Add(allow);
  if (cidr == nullptr || FindSpecialRange(*cidr) == nullptr) to_public_.Add(allow);
  if (cidr != nullptr && cidr->is_v4()) to_v4_.Add(allow);
}

bool RuleReach::MayDenySomething(size_t index) const {
  const Rule& deny = rules_[index].rule;
  if (const auto* cidr = std::get_if<Cidr>(&deny.target)) return MayReachRange(index, *cidr);
  if (std::holds_alternative<HostPattern>(deny.target)) {
    return (to_names_.Overlaps(deny) || to_ranges_.Overlaps(deny)) && MayLookUp(index);
  }
  if (!IsUnix(deny)) return to_public_.Overlaps(deny);
  return nest_.AnyAround(index, [&](uint32_t other) { return Allows(other); });
}

// A special range is opened by what lies within it, and by names that say private.
bool RuleReach::MayReachRange(size_t index, const Cidr& cidr) const {
  const Rule& deny = rules_[index].rule;
  const SpecialRange* special = FindSpecialRange(cidr);
  if ((special == nullptr ? to_names_ : to_private_).Overlaps(deny)) return true;
  const auto opens = [&](uint32_t other) {
    const Rule& allow = rules_[other].rule;
    return Allows(other) && SharesPorts(allow, deny) &&
           (special == nullptr || special->range.Contains(std::get<Cidr>(allow.target)));
  };
  return nest_.AnyAround(index, opens) || nest_.MaybeAnyWithin(index, opens);
}

// At whatever port: one rule may let the name be looked up, and another one let it be reached. In
// report mode every name may be looked up.
bool RuleReach::MayLookUp(size_t index) const {
  const auto allows = [&](uint32_t other) { return Allows(other); };
  const RuleNest::Bucket& everywhere = nest_.on_public();
  return mode_ == PolicyMode::kReport ||
         std::any_of(everywhere.begin(), everywhere.end(), allows) ||
         nest_.AnyAround(index, allows) || nest_.MaybeAnyWithin(index, allows);
}

absl::string_view RuleReach::ClosedEmbedding(const Cidr& cidr, const Rule& rule) const {
  if (cidr.is_v4() || !IsEmbedding(cidr)) return {};
  const EmbeddedV4List embedded = FindEmbeddedV4(cidr.base());
  const bool may_reach =
      IsOneAddress(cidr)
          ? std::all_of(embedded.begin(), embedded.end(),
                        [&](const EmbeddedV4& one) { return MayReachV4(one.address, rule); })
          : to_names_.Overlaps(rule) || to_v4_.Overlaps(rule);
  return may_reach ? absl::string_view() : embedded.begin()->form;
}

bool RuleReach::MayReachV4(const IpAddress& address, const Rule& rule) const {
  if (address.is_unspecified()) return false;
  const bool special = FindSpecialRange(address) != nullptr;
  if ((special ? to_private_ : to_names_).Overlaps(rule)) return true;
  return nest_.AnyAround(*Cidr::Parse(address.ToString()), [&](uint32_t other) {
    return Allows(other) && SharesPorts(rules_[other].rule, rule);
  });
}

std::vector<const SpecialRange*> RuleReach::UnnamedParts(const Cidr& cidr) const {
  std::vector<const SpecialRange*> inside;
  for (const SpecialRange& special : SpecialRanges()) {
    const bool is_part = special.range.prefix() > cidr.prefix() && cidr.Contains(special.range);
    if (is_part && !nest_.NamesPartOf(special.range)) inside.push_back(&special);
  }
  const auto is_nested = [&](const SpecialRange* one) {
    return std::any_of(inside.begin(), inside.end(), [&](const SpecialRange* other) {
      return other != one && other->range.Contains(one->range);
    });
  };
  std::vector<const SpecialRange*> widest;
  std::copy_if(inside.begin(), inside.end(), std::back_inserter(widest),
               [&](const SpecialRange* one) { return !is_nested(one); });
  return widest;
}

}  // namespace sockgate
