#include "broker/policy/address_index.h"

#include <algorithm>
#include <tuple>

#include "absl/numeric/int128.h"

namespace sockgate {
namespace {

// Addresses of both families while the index is made: IPv4 in the uppermost 32 bits, so that a
// prefix means the same in both.
using Wide = absl::uint128;

uint64_t Load64(const uint8_t* bytes) {
  uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | bytes[i];
  return number;
}

Wide First(const Cidr& cidr) {
  return absl::MakeUint128(Load64(cidr.base().data()), Load64(cidr.base().data() + 8));
}

Wide Last(const Cidr& cidr) {
  const Wide host_bits = cidr.prefix() == 128 ? Wide(0) : ~Wide(0) >> cidr.prefix();
  return First(cidr) | host_bits;
}

void Narrow(const Wide& wide, uint32_t* number) {
  *number = static_cast<uint32_t>(absl::Uint128High64(wide) >> 32);
}

void Narrow(const Wide& wide, AddressNumber* number) {
  *number = {absl::Uint128High64(wide), absl::Uint128Low64(wide)};
}

template <typename Number>
Number To(const Wide& wide) {
  Number number;
  Narrow(wide, &number);
  return number;
}

bool AtLeast(uint32_t a, uint32_t b) { return a >= b; }

bool AtLeast(const AddressNumber& a, const AddressNumber& b) {
  return a.high > b.high || (a.high == b.high && a.low >= b.low);
}

// A range that somebody names: the rule with this number, the list of special ones, or, if neither,
// the broker's host.
struct Naming {
  Cidr cidr;
  uint32_t rule;
  uint16_t special;

  // IPv4 before IPv6, by first address, the wider before the narrower.
  auto SortKey() const { return std::make_tuple(!cidr.is_v4(), First(cidr), cidr.prefix(), rule); }
};

std::vector<Naming> AllNamings(const std::vector<Rule>& rules, const std::vector<Cidr>& own) {
  std::vector<Naming> namings;
  for (const Cidr& cidr : own) namings.push_back({cidr, 0, 0});
  uint16_t special = 0;
  for (const SpecialRange& range : SpecialRanges()) namings.push_back({range.range, 0, ++special});
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto* cidr = std::get_if<Cidr>(&rules[i].target);
    if (cidr != nullptr) namings.push_back({*cidr, static_cast<uint32_t>(i + 1), 0});
  }
  std::sort(namings.begin(), namings.end(),
            [](const Naming& a, const Naming& b) { return a.SortKey() < b.SortKey(); });
  return namings;
}

}  // namespace

AddressIndex::AddressIndex(const std::vector<Rule>& rules, const std::vector<Cidr>& own,
                           PlaceBook* places) {
  const std::vector<Naming> namings = AllNamings(rules, own);
  std::vector<Cidr> cidrs;
  for (size_t i = 0; i < namings.size();) {
    const Cidr& cidr = namings[i].cidr;
    Range range;
    std::vector<uint32_t> numbers;
    for (; i < namings.size() && namings[i].cidr == cidr; ++i) {
      const Naming& naming = namings[i];
      if (naming.rule != 0) numbers.push_back(naming.rule);
      if (naming.special != 0) range.special = naming.special;
      if (naming.rule == 0 && naming.special == 0) range.own = true;
    }
    range.place = places->Add(rules, numbers);
    ranges_.push_back(range);
    cidrs.push_back(cidr);
  }
  const auto first_v6 = std::partition_point(cidrs.begin(), cidrs.end(),
                                             [](const Cidr& cidr) { return cidr.is_v4(); });
  const auto v4_count = static_cast<uint32_t>(first_v6 - cidrs.begin());
  v4_.Cut(absl::MakeConstSpan(cidrs).first(v4_count), 0, &ranges_);
  v6_.Cut(absl::MakeConstSpan(cidrs).subspan(v4_count), v4_count, &ranges_);
}

// Goes along the axis with the ranges that it is within on a stack, the narrowest on top.
template <typename Number>
void AddressIndex::Axis<Number>::Cut(absl::Span<const Cidr> cidrs, uint32_t first_index,
                                     std::vector<Range>* ranges) {
  struct Within {
    uint32_t index;
    Wide last;
  };
  std::vector<Within> within;
  const auto narrowest = [&] { return within.empty() ? kNone : within.back().index; };
  const auto leave = [&] {
    const Wide last = within.back().last;
    within.pop_back();
    if (last != ~Wide(0)) CutAt(To<Number>(last + 1), narrowest());
  };
  for (uint32_t i = 0; i < cidrs.size(); ++i) {
    const Wide first = First(cidrs[i]);
    while (!within.empty() && within.back().last < first) leave();
    (*ranges)[first_index + i].around = narrowest();
    within.push_back({first_index + i, Last(cidrs[i])});
    CutAt(To<Number>(first), narrowest());
  }
  while (!within.empty()) leave();
  pieces_.shrink_to_fit();
}

template <typename Number>
void AddressIndex::Axis<Number>::CutAt(const Number& start, uint32_t range) {
  if (AtLeast(pieces_.back().start, start)) {
    pieces_.back().range = range;
  } else {
    pieces_.push_back({start, range});
  }
}

// Without a branch on what is compared, which nobody could predict; instead both pieces that the
// next step may look at are fetched ahead.
template <typename Number>
uint32_t AddressIndex::Axis<Number>::Find(const Number& address) const {
  const Piece* piece = pieces_.data();
  for (size_t left = pieces_.size(); left > 1;) {
    const size_t half = left / 2;
    left -= half;
    __builtin_prefetch(piece + left / 2);
    __builtin_prefetch(piece + half + left / 2);
    piece += AtLeast(address, piece[half].start) ? half : 0;
  }
  return piece->range;
}

const AddressIndex::Range* AddressIndex::Narrowest(const IpAddress& address) const {
  const uint64_t high = Load64(address.data());
  const uint32_t index = address.is_v4()
                             ? v4_.Find(static_cast<uint32_t>(high >> 32))
                             : v6_.Find(AddressNumber{high, Load64(address.data() + 8)});
  return index == kNone ? nullptr : &ranges_[index];
}

}  // namespace sockgate
