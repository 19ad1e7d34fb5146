// What is left of an answer that a hostile resolver gives.

#include "broker/dns_answer.h"

#include <gtest/gtest.h>

#include <string>

namespace sockgate {
namespace {

IpAddress Address(const char* text) { return IpAddress::Parse(text).value(); }

ResolverAnswer Found() {
  ResolverAnswer answer;
  answer.status = ResolverStatus::kFound;
  answer.ttl_seconds = 30;
  answer.v4_count = 1;
  answer.v4[0] = Address("9.9.9.9");
  return answer;
}

TEST(DnsAnswerTest, TakesWhatIsGood) {
  ResolverAnswer from = Found();
  from.v6_count = 1;
  from.v6[0] = Address("2620:fe::fe");
  from.canonical_name = "Www.Example.COM.";
  const DnsAnswer answer = MakeDnsAnswer(from);
  EXPECT_EQ(answer.status, ResolverStatus::kFound);
  EXPECT_EQ(answer.ttl_seconds, 30U);
  ASSERT_EQ(answer.addresses.size(), 2U);
  EXPECT_EQ(answer.addresses[1], Address("2620:fe::fe"));
  EXPECT_EQ(answer.canonical_name, "www.example.com");
}

TEST(DnsAnswerTest, TakesNoAddressTwice) {
  ResolverAnswer from = Found();
  from.v4_count = 2;
  from.v4[1] = from.v4[0];
  from.v6_count = 1;
  from.v6[0] = Address("::ffff:9.9.9.9");
  EXPECT_EQ(MakeDnsAnswer(from).addresses.size(), 1U);
}

TEST(DnsAnswerTest, TakesAtMostSoManyOfAFamilyWhereverTheyStand) {
  ResolverAnswer from = Found();
  from.v4_count = 255;
  from.v6_count = 255;
  for (uint8_t i = 0; i < kMaxAddressesPerFamily; ++i) {
    from.v4[i] = IpAddress::V4({9, 9, 9, i});
    from.v6[i] = IpAddress::V4({8, 8, 8, i});
  }
  EXPECT_EQ(MakeDnsAnswer(from).addresses.size(), kMaxAddressesPerFamily);
}

TEST(DnsAnswerTest, FoundWithoutAnAddressIsNoAddress) {
  ResolverAnswer from = Found();
  from.v4_count = 0;
  EXPECT_EQ(MakeDnsAnswer(from).status, ResolverStatus::kNoAddress);
}

TEST(DnsAnswerTest, NothingFoundHasNoAddress) {
  ResolverAnswer from = Found();
  from.status = ResolverStatus::kNoName;
  EXPECT_TRUE(MakeDnsAnswer(from).addresses.empty());
}

TEST(DnsAnswerTest, ACanonicalNameThatIsNoneIsLeftOut) {
  for (const std::string& name : {std::string("a b.org"), std::string("a\0b.org", 7),
                                  std::string(300, 'a'), std::string("127.0.0.1")}) {
    ResolverAnswer from = Found();
    from.canonical_name = name;
    EXPECT_EQ(MakeDnsAnswer(from).canonical_name, "") << name;
  }
}

}  // namespace
}  // namespace sockgate
