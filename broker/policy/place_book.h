// PlaceBook: what the rules on each place say, a place being a range of addresses, a name, the
// names below one, or all that is public. Most places of a large policy have one rule for the same
// ports as the others, so they share a table, and a place is two numbers.
//
// Process: broker, and the tools that read policies. Immutable once all places are in; looking up
// never allocates.

#ifndef SOCKGATE_BROKER_POLICY_PLACE_BOOK_H_
#define SOCKGATE_BROKER_POLICY_PLACE_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "broker/policy/port_table.h"
#include "broker/policy/rule.h"

namespace sockgate {

// A place without rules, or one of the book's.
struct Place {
  uint32_t table = 0;
  uint32_t numbers = 0;  // the number of its one rule, or where its rules' numbers are
};

class PlaceBook {
 public:
  PlaceBook();

  // A place that the rules with these numbers, which ascend, are on. The first of `rules` has
  // number 1.
  Place Add(const std::vector<Rule>& rules, const std::vector<uint32_t>& numbers);

  // Numbers of rules as the policy counts them.
  PortRules Find(Place place, uint16_t port, Transport transport) const {
    const Table& table = tables_[place.table];
    const PortRules found = table.ports.Find(port, transport);
    if (found.none()) return found;
    return {NumberOf(table, place, found.denies), NumberOf(table, place, found.allows),
            NumberOf(table, place, found.allows_private)};
  }
  // PortTable::AnyStart().
  template <typename Visit>
  bool AnyStart(Place place, Visit visit) const {
    return tables_[place.table].ports.AnyStart(visit);
  }
  uint32_t AllowsAny(Place place) const {
    const Table& table = tables_[place.table];
    return NumberOf(table, place, table.ports.allows_any());
  }
  uint32_t DeniesAll(Place place) const {
    const Table& table = tables_[place.table];
    return NumberOf(table, place, table.ports.denies_all());
  }

 private:
  struct Table {
    PortTable ports;
    bool single;  // of one rule
  };

  uint32_t NumberOf(const Table& table, Place place, uint32_t nth) const {
    if (nth == 0) return 0;
    return table.single ? place.numbers : numbers_[place.numbers + nth - 1];
  }

  std::vector<Table> tables_;
  std::vector<uint32_t> numbers_;
  absl::flat_hash_map<std::string, uint32_t> known_;  // tables by what they say
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_PLACE_BOOK_H_
