#include "tests/escape/features/features.h"

namespace sockgate::escape {

std::vector<Feature> AllFeatures() {
  std::vector<Feature> all;
  for (const auto& part : {HttpFeatures(), TlsFeatures(), TunnelFeatures(), ManyFeatures(),
                           NameFeatures(), OptionFeatures()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace sockgate::escape
