#include "tool/broker_reading.h"

#include <tuple>

namespace sockgate {

bool BrokerReading::Rule::operator<(const Rule& other) const {
  return std::tie(number, reason, line) < std::tie(other.number, other.reason, other.line);
}

}  // namespace sockgate
