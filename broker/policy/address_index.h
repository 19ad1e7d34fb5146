// AddressIndex: all ranges that a policy knows, its rules', the special ones and the broker's own,
// so that those around one address are found by one binary search and a walk outwards.
//
// Process: broker, and the tools that read policies. Immutable once made; looking up never
// allocates. Laid out for large policies, where each cache line that is not touched counts.

#ifndef SOCKGATE_BROKER_POLICY_ADDRESS_INDEX_H_
#define SOCKGATE_BROKER_POLICY_ADDRESS_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "broker/policy/cidr.h"
#include "broker/policy/place_book.h"
#include "broker/policy/rule.h"
#include "broker/policy/special_ranges.h"
#include "proto/ip_address.h"

namespace sockgate {

// An IPv6 address as a number.
struct AddressNumber {
  uint64_t high = 0;
  uint64_t low = 0;
};

class AddressIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // A range that somebody names; each is here once.
  struct Range {
    Place place;              // what the rules on exactly this range say
    uint32_t around = kNone;  // the next wider range
    uint16_t special = 0;     // from 1, which of SpecialRanges() it is; 0: none
    bool own = false;         // the broker's host has it

    const SpecialRange* special_range() const {
      return special == 0 ? nullptr : &SpecialRanges()[special - 1U];
    }
  };

  AddressIndex(const std::vector<Rule>& rules, const std::vector<Cidr>& own, PlaceBook* places);

  // The narrowest range that contains the address, or null.
  const Range* Narrowest(const IpAddress& address) const;
  // The next wider one, or null.
  const Range* Around(const Range& range) const {
    return range.around == kNone ? nullptr : &ranges_[range.around];
  }

 private:
  // All addresses of one family as numbers, cut where the narrowest range changes.
  template <typename Number>
  class Axis {
   public:
    // `cidrs`: the ranges of this family, sorted; the first has index `first_index` in `ranges`,
    // whose `around` is filled in.
    void Cut(absl::Span<const Cidr> cidrs, uint32_t first_index, std::vector<Range>* ranges);
    uint32_t Find(const Number& address) const;

   private:
    // From `start` to the next one's.
    struct Piece {
      Number start;
      uint32_t range;
    };
    void CutAt(const Number& start, uint32_t range);

    std::vector<Piece> pieces_ = {{Number(), kNone}};
  };

  std::vector<Range> ranges_;
  Axis<uint32_t> v4_;
  Axis<AddressNumber> v6_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_ADDRESS_INDEX_H_
