#include "broker/policy/localhost.h"

#include "absl/strings/match.h"

namespace sockgate {

bool IsLocalhost(absl::string_view name) {
  return name == "localhost" || absl::EndsWith(name, ".localhost");
}

const std::vector<IpAddress>& LocalhostAddresses() {
  static const auto* const addresses = new std::vector<IpAddress>{
      IpAddress::V4({127, 0, 0, 1}),
      IpAddress::V6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}),
  };
  return *addresses;
}

}  // namespace sockgate
