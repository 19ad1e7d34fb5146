// PortTable: what a list of rules on one place says of each port. What a decision needs is found by
// one binary search, however many rules there are.
//
// Process: broker, and the tools that read policies. Immutable once made; Find() never allocates.

#ifndef SOCKGATE_BROKER_POLICY_PORT_TABLE_H_
#define SOCKGATE_BROKER_POLICY_PORT_TABLE_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/policy/rule.h"

namespace sockgate {

// Of the rules that deny, allow, or allow private addresses too, the first of each kind; 0: none.
struct PortRules {
  uint32_t denies = 0;
  uint32_t allows = 0;
  uint32_t allows_private = 0;

  bool none() const { return (denies | allows | allows_private) == 0; }
};

class PortTable {
 public:
  // The first rule has number 1.
  explicit PortTable(const std::vector<const Rule*>& rules);

  PortRules Find(uint16_t port, Transport transport) const;

  // Calls visit(port) for each port from which on the rules say something else than before, until
  // it returns true. Whether it did.
  template <typename Visit>
  bool AnyStart(Visit visit) const {
    return std::any_of(segments_.begin(), segments_.end(),
                       [&](const Segment& segment) { return visit(segment.first); });
  }

  // The first rule that allows any port at all; 0: none does.
  uint32_t allows_any() const { return allows_any_; }
  // The first rule that denies all ports of both transports; 0: none does.
  uint32_t denies_all() const { return denies_all_; }

  // The same for two tables exactly when they say the same.
  std::string Fingerprint() const;

 private:
  // Holds from `first` to the next segment's.
  struct Segment {
    uint16_t first;
    PortRules tcp;
    PortRules udp;
  };

  std::vector<Segment> segments_;
  uint32_t allows_any_ = 0;
  uint32_t denies_all_ = 0;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_PORT_TABLE_H_
