// World: every server that the features need, each in a process of its own on 127.0.0.1.
//
// Process: the test, single-threaded, in the test network. The servers end with the object.

#ifndef SOCKGATE_TESTS_ESCAPE_FEATURES_WORLD_H_
#define SOCKGATE_TESTS_ESCAPE_FEATURES_WORLD_H_

#include <gtest/gtest.h>

#include <string>

#include "broker/broker_process.h"
#include "tests/broker/temp_folder.h"
#include "tests/escape/features/features.h"
#include "tests/escape/features/nghttpd.h"
#include "tests/escape/features/places.h"
#include "tests/escape/features/side_servers.h"
#include "tests/integration/server_process.h"

namespace sockgate::escape {

class World {
 public:
  World();

  const Places& places() const { return places_; }

  // A broker whose workers reach the world and nothing else, and look up its one name.
  BrokerProcess StartBroker() const;

 private:
  const testing::TempFolder folder_;
  const testing::ServerProcess plain_;
  const testing::ServerProcess secure_;
  const Nghttpd http2_;
  const SideServers side_;
  Places places_;
};

// One world for all tests of a program, which is there before any of their workers.
class WorldTest : public ::testing::Test {
 protected:
  WorldTest();

  const World& world_;
  const Places& places_;
};

// For INSTANTIATE_TEST_SUITE_P.
std::string FeatureName(const ::testing::TestParamInfo<Feature>& feature);

}  // namespace sockgate::escape

#endif  // SOCKGATE_TESTS_ESCAPE_FEATURES_WORLD_H_
