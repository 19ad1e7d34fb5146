// The resolver with search domains: which candidate is asked for, when the next one's turn comes,
// and what the answer is made of.

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/broker/resolver/resolver_client.h"
#include "tests/support/fake_dns.h"

namespace sockgate::testing {
namespace {

using Messages = std::vector<std::string>;

std::string NoName(const DnsQuery& query, uint32_t ttl) {
  return DnsReply(query, kNameError).Soa("", ttl, 86400).bytes();
}

std::string NoAddress(const DnsQuery& query, uint32_t ttl) {
  return DnsReply(query).Soa("", ttl, 86400).bytes();
}

std::string Address(const DnsQuery& query, uint32_t ttl) {
  DnsReply reply(query);
  if (query.type == kTypeA) reply.A(query.name, ttl, "192.0.2.1");
  if (query.type == kTypeAaaa) reply.Aaaa(query.name, ttl, "2001:db8::1");
  return reply.bytes();
}

class ResolverSearch : public ::testing::Test {
 protected:
  static ResolverOptions Options(uint16_t port) {
    ResolverOptions options = OptionsFor(port);
    options.search = {"one.test", "two.test"};
    return options;
  }

  ResolverAnswer Resolve(FakeDns::Script script) {
    EXPECT_TRUE(client_.AwaitResolver());
    dns_.Start(std::move(script));
    const auto answer = client_.Resolve("host");
    EXPECT_TRUE(answer.has_value()) << "the resolver has ended";
    return answer.value_or(ResolverAnswer());
  }

  // Each name once, in the order in which they were first asked for.
  std::vector<std::string> Asked() const {
    std::vector<std::string> names;
    std::set<std::string> known;
    for (const DnsQuery& query : dns_.queries()) {
      if (known.insert(query.name).second) names.push_back(query.name);
    }
    return names;
  }

  FakeDns dns_;
  ResolverClient client_{Options(dns_.port())};
};

TEST_F(ResolverSearch, OneFamilyOfTheFirstCandidateIsEnough) {
  const ResolverAnswer answer = Resolve([](const DnsQuery& query) {
    const bool first = query.name == "host.one.test";
    if (first && query.type == kTypeAaaa) return Messages{NoAddress(query, 60)};
    return Messages{Address(query, 60)};
  });
  EXPECT_EQ(AddressesOf(answer), "192.0.2.1");
  EXPECT_EQ(answer.ttl_seconds, 60U);
  EXPECT_EQ(Asked(), std::vector<std::string>({"host.one.test"}));
}

TEST_F(ResolverSearch, AFamilyThatIsNeverAnsweredIsNotLookedForElsewhere) {
  const ResolverAnswer answer = Resolve([](const DnsQuery& query) {
    const bool first = query.name == "host.one.test";
    return first && query.type == kTypeA ? Messages() : Messages{Address(query, 60)};
  });
  EXPECT_EQ(AddressesOf(answer), "2001:db8::1");
  EXPECT_EQ(Asked(), std::vector<std::string>({"host.one.test"}));
}

TEST_F(ResolverSearch, TheNextCandidateComesWhenBothFamiliesHaveSaidNo) {
  const ResolverAnswer answer = Resolve([](const DnsQuery& query) {
    if (query.name == "host.two.test") return Messages{Address(query, 60)};
    return Messages{query.type == kTypeA ? NoAddress(query, 5) : NoName(query, 5)};
  });
  EXPECT_EQ(AddressesOf(answer), "192.0.2.1 2001:db8::1");
  EXPECT_EQ(answer.ttl_seconds, 60U);
  EXPECT_EQ(Asked(), std::vector<std::string>({"host.one.test", "host.two.test"}));
}

TEST_F(ResolverSearch, NoOfAllCandidatesHoldsAsLongAsEachDoes) {
  const std::map<std::string, uint32_t> ttls = {
      {"host.one.test", 50}, {"host.two.test", 40}, {"host", 70}};
  const ResolverAnswer answer = Resolve(
      [ttls](const DnsQuery& query) { return Messages{NoName(query, ttls.at(query.name))}; });
  EXPECT_EQ(answer.status, ResolverStatus::kNoName);
  EXPECT_EQ(answer.ttl_seconds, 40U);
  EXPECT_EQ(Asked(), std::vector<std::string>({"host.one.test", "host.two.test", "host"}));
}

TEST_F(ResolverSearch, ANameThatExistsSomewhereExists) {
  const ResolverAnswer answer = Resolve([](const DnsQuery& query) {
    const bool exists = query.name == "host.one.test";
    return Messages{exists ? NoAddress(query, 60) : NoName(query, 60)};
  });
  EXPECT_EQ(answer.status, ResolverStatus::kNoAddress);
  EXPECT_EQ(answer.ttl_seconds, 60U);
}

TEST_F(ResolverSearch, TroubleEndsTheSearch) {
  const ResolverAnswer answer = Resolve([](const DnsQuery& query) {
    if (query.name == "host.one.test") return Messages{NoName(query, 60)};
    if (query.name != "host.two.test") return Messages{Address(query, 60)};
    return Messages{query.type == kTypeA ? NoName(query, 60)
                                         : DnsReply(query, kServerFailure).bytes()};
  });
  EXPECT_EQ(answer.status, ResolverStatus::kTryAgain);
  EXPECT_EQ(answer.ttl_seconds, 0U);
  EXPECT_EQ(Asked(), std::vector<std::string>({"host.one.test", "host.two.test"}));
}

TEST_F(ResolverSearch, SilenceTakesNoLongerThanForOneName) {
  const auto began = std::chrono::steady_clock::now();
  const ResolverAnswer answer = Resolve([](const DnsQuery& query) {
    return query.name == "host.one.test" ? Messages{NoName(query, 60)} : Messages();
  });
  EXPECT_EQ(answer.status, ResolverStatus::kTryAgain);
  // OptionsFor(): 200 ms, two tries. The rest is for a busy machine.
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2));
}

}  // namespace
}  // namespace sockgate::testing
