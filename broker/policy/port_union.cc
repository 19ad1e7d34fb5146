#include "broker/policy/port_union.h"

namespace sockgate {

void PortUnion::Add(const Rule& rule) {
  for (size_t i = 0; i < kTransports.size(); ++i) {
    if (!rule.transports.Contains(kTransports[i])) continue;
    counts_[i].resize(kPorts + 1);
    for (const PortSet::Range& range : rule.ports.ranges()) {
      ++counts_[i][range.first];
      --counts_[i][size_t{range.last} + 1];
    }
  }
}

void PortUnion::Build() {
  for (std::vector<int64_t>& counts : counts_) {
    int64_t covering = 0;
    int64_t covered = 0;
    for (int64_t& count : counts) {
      covering += count;
      count = covered;
      covered += covering > 0 ? 1 : 0;
    }
  }
}

bool PortUnion::Overlaps(const Rule& rule) const {
  for (size_t i = 0; i < kTransports.size(); ++i) {
    if (!rule.transports.Contains(kTransports[i]) || counts_[i].empty()) continue;
    for (const PortSet::Range& range : rule.ports.ranges()) {
      if (counts_[i][size_t{range.last} + 1] > counts_[i][range.first]) return true;
    }
  }
  return false;
}

}  // namespace sockgate
