// Features: what libcurl must be able to do in a worker under the fetcher profile.
//
// One list, which features_test and missing_call_test both go through. A feature runs in the
// worker and says "ok", or what went wrong.

#ifndef SOCKGATE_TESTS_ESCAPE_FEATURES_FEATURES_H_
#define SOCKGATE_TESTS_ESCAPE_FEATURES_FEATURES_H_

#include <ostream>
#include <string>
#include <vector>

#include "client/broker_client.h"
#include "tests/escape/features/places.h"

namespace sockgate::escape {

struct Feature {
  const char* name;  // of letters and digits
  std::string (*run)(BrokerClient& client, const Places& places);
};

inline void PrintTo(const Feature& feature, std::ostream* out) { *out << feature.name; }

std::vector<Feature> HttpFeatures();
std::vector<Feature> TlsFeatures();
std::vector<Feature> TunnelFeatures();
std::vector<Feature> ManyFeatures();
std::vector<Feature> NameFeatures();
std::vector<Feature> OptionFeatures();

// All of them.
std::vector<Feature> AllFeatures();

}  // namespace sockgate::escape

#endif  // SOCKGATE_TESTS_ESCAPE_FEATURES_FEATURES_H_
