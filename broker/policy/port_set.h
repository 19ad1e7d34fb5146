// PortSet: the ports that a rule covers.
//
// Process: broker, and the tools that read policies. A value type; Contains() never allocates.

#ifndef SOCKGATE_BROKER_POLICY_PORT_SET_H_
#define SOCKGATE_BROKER_POLICY_PORT_SET_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace sockgate {

class PortSet {
 public:
  struct Range {
    uint16_t first;
    uint16_t last;
  };

  // "443", "80,443", "8000-8100,9000", or "*" for 1 to 65535. Nothing for anything else: port 0, a
  // leading zero, a range that runs backwards, an empty item, signs, spaces.
  static std::optional<PortSet> Parse(absl::string_view text);

  bool Contains(uint16_t port) const;

  // Whether every port of `other` is in this set too.
  bool Covers(const PortSet& other) const;
  // Whether some port is in both.
  bool Overlaps(const PortSet& other) const;
  // Whether the set is 1 to 65535.
  bool all() const { return ranges_.size() == 1 && ranges_[0].last - ranges_[0].first == 65534; }

  // Sorted; none touches another.
  const std::vector<Range>& ranges() const { return ranges_; }

  // "80,443,8000-8100", "*" for all ports. Parse() takes it, unless the set is empty, which only
  // one that was not parsed can be.
  std::string ToString() const;

 private:
  static std::optional<Range> ParseRange(absl::string_view text);
  void Merge();

  std::vector<Range> ranges_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_PORT_SET_H_
