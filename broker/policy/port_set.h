// PortSet: the ports that a rule covers.
//
// Process: broker, and the tools that read policies. A value type; Contains() never allocates.

#ifndef SOCKGATE_BROKER_POLICY_PORT_SET_H_
#define SOCKGATE_BROKER_POLICY_PORT_SET_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"

namespace sockgate {

class PortSet {
 public:
  // "443", "80,443", "8000-8100,9000", or "*" for 1 to 65535. Nothing for anything else: port 0, a
  // leading zero, a range that runs backwards, an empty item, signs, spaces.
  static std::optional<PortSet> Parse(absl::string_view text);

  bool Contains(uint16_t port) const {
    for (const Range& range : ranges_) {
      if (range.first <= port && port <= range.last) return true;
    }
    return false;
  }

 private:
  struct Range {
    uint16_t first;
    uint16_t last;
  };
  static std::optional<Range> ParseRange(absl::string_view text);

  std::vector<Range> ranges_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_PORT_SET_H_
