// Through a proxy, and over protocols that are not a request and its answer.

#include "tests/escape/features/features.h"

namespace sockgate::escape {

std::vector<Feature> TunnelFeatures() { return {}; }

}  // namespace sockgate::escape
