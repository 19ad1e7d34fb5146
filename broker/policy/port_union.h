// PortUnion: the ports that any of many rules covers.
//
// Process: broker, when it loads a policy, and the tools.

#ifndef SOCKGATE_BROKER_POLICY_PORT_UNION_H_
#define SOCKGATE_BROKER_POLICY_PORT_UNION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "broker/policy/rule.h"

namespace sockgate {

class PortUnion {
 public:
  void Add(const Rule& rule);
  // After the last Add().
  void Build();
  // Whether some port of some transport is covered by the rule and by one of those added.
  bool Overlaps(const Rule& rule) const;

 private:
  static constexpr size_t kPorts = 65536;
  static constexpr std::array<Transport, 2> kTransports = {Transport::kStream,
                                                           Transport::kDatagram};

  // Until Build(): by how much more rules cover a port than the one before. Then: how many ports
  // before it are covered. Empty: none is.
  std::array<std::vector<int64_t>, 2> counts_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_PORT_UNION_H_
