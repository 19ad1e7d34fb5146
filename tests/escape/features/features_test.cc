// Every feature of libcurl that the fetcher profile must not break, in a worker under that profile.

#include "tests/escape/features/features.h"

#include <gtest/gtest.h>

#include "tests/escape/features/world.h"
#include "tests/integration/confined.h"

namespace sockgate::escape {
namespace {

class FeatureOf : public WorldTest, public ::testing::WithParamInterface<Feature> {};

INSTANTIATE_TEST_SUITE_P(Features, FeatureOf, ::testing::ValuesIn(AllFeatures()), FeatureName);

TEST_P(FeatureOf, WorksUnderTheFetcherProfile) {
  BrokerProcess broker = world_.StartBroker();
  EXPECT_EQ(testing::RunConfined(
                broker, [&](BrokerClient& client) { return GetParam().run(client, places_); }),
            "ok");
}

}  // namespace
}  // namespace sockgate::escape
