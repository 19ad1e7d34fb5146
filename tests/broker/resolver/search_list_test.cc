#include "broker/resolver/search_list.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sockgate {
namespace {

using Names = std::vector<std::string>;

TEST(SearchList, WithoutDomainsANameIsItself) {
  EXPECT_EQ(SearchCandidates("host", {}, 1), Names({"host"}));
  EXPECT_EQ(SearchCandidates("www.host", {}, 1), Names({"www.host"}));
}

TEST(SearchList, ANameWithFewDotsIsAskedForLast) {
  EXPECT_EQ(SearchCandidates("host", {"a.test", "b.test"}, 1),
            Names({"host.a.test", "host.b.test", "host"}));
  EXPECT_EQ(SearchCandidates("www.host", {"a.test"}, 2), Names({"www.host.a.test", "www.host"}));
}

TEST(SearchList, ANameWithEnoughDotsIsAskedForFirst) {
  EXPECT_EQ(SearchCandidates("www.host", {"a.test"}, 1), Names({"www.host", "www.host.a.test"}));
  EXPECT_EQ(SearchCandidates("host", {"a.test"}, 0), Names({"host", "host.a.test"}));
}

TEST(SearchList, ADotAtADomainsEndMeansNothing) {
  EXPECT_EQ(SearchCandidates("host", {"a.test.", "."}, 1), Names({"host.a.test", "host"}));
}

TEST(SearchList, AnOnionNameStandsForItselfAlone) {
  EXPECT_EQ(SearchCandidates("hidden.onion", {"a.test"}, 2), Names({"hidden.onion"}));
  EXPECT_EQ(SearchCandidates("red-onion", {"a.test"}, 1), Names({"red-onion.a.test", "red-onion"}));
}

TEST(SearchList, ANameThatWouldBeTooLongIsLeftOut) {
  const std::string name(248, 'n');
  EXPECT_EQ(SearchCandidates(name, {"test", "tests"}, 1), Names({name + ".test", name}));
}

}  // namespace
}  // namespace sockgate
