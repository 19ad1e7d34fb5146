#include "broker/resolver/answer_reader.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "broker/resolver/answers.h"
#include "broker/resolver/resolver_codec.h"
#include "tests/broker/resolver/resolver_client.h"
#include "tests/support/fake_dns.h"

namespace sockgate::testing {
namespace {

const DnsQuery kA = DnsQuery::For("www.example.com", kTypeA);
const DnsQuery kAaaa = DnsQuery::For("www.example.com", kTypeAaaa);

ResolverAnswer Read(const std::string& message) {
  return ReadAnswer({reinterpret_cast<const uint8_t*>(message.data()), message.size()});
}

ResolverAnswer Read(const DnsReply& reply) { return Read(reply.bytes()); }

// "found 192.0.2.1 for 60", "no name for 0".
std::string Said(const ResolverAnswer& answer) {
  const std::string ttl = " for " + std::to_string(answer.ttl_seconds);
  switch (answer.status) {
    case ResolverStatus::kFound:
      return "found " + AddressesOf(answer) + ttl;
    case ResolverStatus::kNoName:
      return "no name" + ttl;
    case ResolverStatus::kNoAddress:
      return "no address" + ttl;
    case ResolverStatus::kTryAgain:
      return "try again" + ttl;
    default:
      return "failed" + ttl;
  }
}

TEST(AnswerReader, AddressesHoldAsLongAsTheShortestLived) {
  EXPECT_EQ(Said(Read(DnsReply(kA)
                          .A("www.example.com", 60, "192.0.2.1")
                          .A("WWW.Example.com", 50, "192.0.2.2"))),
            "found 192.0.2.1 192.0.2.2 for 50");
  EXPECT_EQ(Said(Read(DnsReply(kAaaa).Aaaa("www.example.com", 60, "2001:db8::1"))),
            "found 2001:db8::1 for 60");
}

TEST(AnswerReader, ATtlWithItsUpperBitSetIsZero) {
  EXPECT_EQ(Said(Read(DnsReply(kA).A("www.example.com", 0x80000000, "192.0.2.1"))),
            "found 192.0.2.1 for 0");
  EXPECT_EQ(Said(Read(DnsReply(kA).A("www.example.com", 0x7fffffff, "192.0.2.1"))),
            "found 192.0.2.1 for 2147483647");
}

TEST(AnswerReader, AChainOfAliasesCountsWithEachOfItsTtls) {
  for (const uint32_t shortest : {0U, 1U, 2U}) {
    const auto ttl = [shortest](uint32_t at) { return at == shortest ? 7U : 90U; };
    const ResolverAnswer answer = Read(DnsReply(kA)
                                           .Cname("www.example.com", ttl(0), "b.example.net")
                                           .Cname("b.example.net", ttl(1), "c.example.org")
                                           .A("c.example.org", ttl(2), "192.0.2.1"));
    EXPECT_EQ(Said(answer), "found 192.0.2.1 for 7") << shortest;
    EXPECT_EQ(answer.canonical_name, "c.example.org");
  }
}

TEST(AnswerReader, NoNameHoldsAsLongAsTheSoaRecordAndItsMinimum) {
  const DnsReply none(kA, kNameError);
  EXPECT_EQ(Said(Read(DnsReply(none).Soa("example.com", 300, 120))), "no name for 120");
  EXPECT_EQ(Said(Read(DnsReply(none).Soa("example.com", 30, 120))), "no name for 30");
  EXPECT_EQ(Said(Read(DnsReply(none).Soa("www.example.com", 30, 120))), "no name for 30");
  EXPECT_EQ(Said(Read(DnsReply(none).Soa("COM", 30, 120))), "no name for 30");
  EXPECT_EQ(Said(Read(DnsReply(none).Soa("", 86400, 86400))), "no name for 86400");
  EXPECT_EQ(Said(Read(DnsReply(none).Soa("example.com", 300, 0xffffffff))), "no name for 0");
}

TEST(AnswerReader, NoAddressHoldsAsLongAsTheSoaRecordAndItsMinimum) {
  EXPECT_EQ(Said(Read(DnsReply(kAaaa).Soa("example.com", 300, 120))), "no address for 120");
  EXPECT_EQ(Said(Read(DnsReply(kAaaa).Soa("example.com", 30, 120))), "no address for 30");
}

TEST(AnswerReader, WithoutAnSoaRecordNoHoldsForNoTime) {
  EXPECT_EQ(Said(Read(DnsReply(kA, kNameError))), "no name for 0");
  EXPECT_EQ(Said(Read(DnsReply(kA))), "no address for 0");
  // RFC 2308, section 2.1, type 4.
  EXPECT_EQ(Said(Read(DnsReply(kA, kNameError).Ns("example.com", 60, "ns.example.com"))),
            "no name for 0");
}

TEST(AnswerReader, OnlyAnSoaRecordOfAZoneAboveTheNameCounts) {
  for (const char* zone : {"example.net", "evil.www.example.com", "ple.com", "w.example.com"}) {
    EXPECT_EQ(Said(Read(DnsReply(kA, kNameError).Soa(zone, 300, 120))), "no name for 0") << zone;
    EXPECT_EQ(Said(Read(DnsReply(kA).Soa(zone, 300, 120))), "no address for 0") << zone;
  }
  EXPECT_EQ(Said(Read(DnsReply(kA, kNameError).Class(kClassChaos).Soa("example.com", 300, 120))),
            "no name for 0");
}

TEST(AnswerReader, ADotWithinALabelDividesNoZone) {
  const DnsQuery query = DnsQuery::For("a.example.com", kTypeA);
  std::string message = DnsReply(query, kNameError).bytes();
  // One label "a.example" instead of two.
  const std::string two("\1a\7example", 10);
  const std::string one("\11a.example", 10);
  message.replace(message.find(two), two.size(), one);
  const std::string soa = DnsReply(kA).Soa("example.com", 300, 120).bytes();
  message += soa.substr(12 + kA.question.size());
  message[9] = 1;  // one authority record
  EXPECT_EQ(Said(Read(message)), "no name for 0");
}

TEST(AnswerReader, AnAliasOfANameThatDoesNotExist) {
  // RFC 2308, section 2.1, types 1 and 2: the zone is that of the name at the end of the chain.
  const auto alias = [](uint32_t ttl) {
    return DnsReply(kA, kNameError).Cname("www.example.com", ttl, "gone.example.net");
  };
  EXPECT_EQ(Said(Read(alias(90).Soa("example.net", 60, 45))), "no name for 45");
  EXPECT_EQ(Said(Read(alias(20).Soa("example.net", 60, 45))), "no name for 20");
  EXPECT_EQ(Said(Read(alias(90).Ns("example.net", 60, "ns.example.net").Soa("net", 60, 45))),
            "no name for 45");
  // Type 3, and the zone of the alias, which has no say about what is not in it.
  EXPECT_EQ(Said(Read(alias(90))), "no name for 0");
  EXPECT_EQ(Said(Read(alias(90).Soa("example.com", 60, 45))), "no name for 0");
}

TEST(AnswerReader, AnAliasOfANameWithoutAddress) {
  const auto alias = DnsReply(kA).Cname("www.example.com", 20, "text.example.net");
  EXPECT_EQ(Said(Read(DnsReply(alias).Soa("example.net", 60, 45))), "no address for 20");
  EXPECT_EQ(Said(Read(alias)), "no address for 0");
}

TEST(AnswerReader, AReferralIsNoAnswer) {
  EXPECT_EQ(Said(Read(DnsReply(kA).Ns("example.com", 60, "ns.example.com"))), "try again for 0");
  EXPECT_EQ(
      Said(Read(DnsReply(kA).Ns("example.com", 60, "ns.example.com").Soa("example.com", 60, 45))),
      "no address for 45");
}

TEST(AnswerReader, AnotherNamesRecordsYieldNothing) {
  EXPECT_EQ(Said(Read(DnsReply(kA).A("evil.example.com", 60, "192.0.2.66"))), "no address for 0");
  EXPECT_EQ(Said(Read(DnsReply(kA)
                          .Cname("evil.example.com", 60, "b.example.com")
                          .A("b.example.com", 60, "192.0.2.66"))),
            "no address for 0");
  EXPECT_EQ(Said(Read(DnsReply(kA)
                          .Cname("www.example.com", 60, "b.example.com")
                          .A("www.example.com", 60, "192.0.2.66"))),
            "no address for 0");
  EXPECT_EQ(Said(Read(DnsReply(kA)
                          .Cname("evil.example.com", 1, "www.example.com")
                          .A("www.example.com", 60, "192.0.2.1"))),
            "found 192.0.2.1 for 60");
}

TEST(AnswerReader, AnotherTypeOrClassYieldsNothing) {
  EXPECT_EQ(Said(Read(DnsReply(kA).Aaaa("www.example.com", 60, "2001:db8::1"))),
            "no address for 0");
  EXPECT_EQ(Said(Read(DnsReply(kAaaa).A("www.example.com", 60, "192.0.2.1"))), "no address for 0");
  EXPECT_EQ(Said(Read(DnsReply(kA).Class(kClassChaos).A("www.example.com", 60, "192.0.2.1"))),
            "no address for 0");
}

TEST(AnswerReader, Ipv4InIpv6ClothingIsDropped) {
  EXPECT_EQ(Said(Read(DnsReply(kAaaa)
                          .Aaaa("www.example.com", 60, "::ffff:127.0.0.1")
                          .Aaaa("www.example.com", 60, "2001:db8::1"))),
            "found 2001:db8::1 for 60");
}

TEST(AnswerReader, AddressesOfANameThatDoesNotExistAreDropped) {
  EXPECT_EQ(Said(Read(DnsReply(kA, kNameError).A("www.example.com", 60, "192.0.2.1"))),
            "no name for 0");
}

TEST(AnswerReader, OtherResponseCodesAreFailures) {
  for (uint16_t code = 1; code < 16; ++code) {
    if (code == kNameError) continue;
    EXPECT_EQ(Said(Read(DnsReply(kA, code).A("www.example.com", 60, "192.0.2.1"))), "failed for 0")
        << code;
  }
}

TEST(AnswerReader, AQueryThatComesBackIsNoAnswer) {
  std::string message = DnsReply(kA).A("www.example.com", 60, "192.0.2.1").bytes();
  message[2] = static_cast<char>(message[2] & 0x7f);
  EXPECT_EQ(Said(Read(message)), "failed for 0");
  EXPECT_EQ(Said(Read(kA.bytes)), "failed for 0");
}

TEST(AnswerReader, AMessageThatIsCutAnywhereIsAFailure) {
  const std::string message = DnsReply(kA, kNameError)
                                  .Cname("www.example.com", 60, "b.example.com")
                                  .Soa("example.com", 60, 45)
                                  .bytes();
  EXPECT_EQ(Said(Read(message)), "no name for 45");
  for (size_t size = 0; size < message.size(); ++size) {
    EXPECT_EQ(Said(Read(message.substr(0, size))), "failed for 0") << size;
  }
  EXPECT_EQ(Said(Read(message + '\0')), "failed for 0");
}

TEST(AnswerReader, AnSoaRecordThatIsTooShortIsAFailure) {
  std::string message = DnsReply(kA, kNameError).Soa("com", 60, 45).bytes();
  const size_t record = 12 + kA.question.size();
  const size_t length = record + 5 + 2 + 2 + 4;  // behind owner, type, class and TTL
  message.resize(message.size() - 4);
  message[length + 1] = static_cast<char>(message[length + 1] - 4);
  EXPECT_EQ(Said(Read(message)), "failed for 0");
}

TEST(AnswerReader, WhateverByteIsFlippedTheAnswerCanBeSent) {
  const std::string message = DnsReply(kA)
                                  .Cname("www.example.com", 60, "b.example.com")
                                  .A("b.example.com", 50, "192.0.2.1")
                                  .Soa("example.com", 60, 45)
                                  .bytes();
  for (size_t at = 0; at < message.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string flipped = message;
      flipped[at] = static_cast<char>(value);
      ResolverAnswer answer = Read(flipped);
      answer.id = 1;
      std::vector<uint8_t> packet(kMaxPacketBytes);
      ASSERT_GT(Encode(answer, absl::MakeSpan(packet)), 0U) << at << " " << value;
    }
  }
}

TEST(Answers, TwoNegativesHoldAsLongAsBothDo) {
  ResolverAnswer no_name = EmptyAnswer(ResolverStatus::kNoName);
  ResolverAnswer no_address = EmptyAnswer(ResolverStatus::kNoAddress);
  no_name.ttl_seconds = 30;
  no_address.ttl_seconds = 60;
  EXPECT_EQ(Said(Merge(no_name, no_address)), "no address for 30");
  EXPECT_EQ(Said(Merge(no_address, no_name)), "no address for 30");
  EXPECT_EQ(Said(Merge(no_name, EmptyAnswer(ResolverStatus::kTryAgain))), "try again for 0");
}

TEST(Answers, AddressesOfOneFamilyAreEnough) {
  const ResolverAnswer found = Read(DnsReply(kA).A("www.example.com", 60, "192.0.2.1"));
  const ResolverAnswer six = Read(DnsReply(kAaaa).Aaaa("www.example.com", 50, "2001:db8::1"));
  EXPECT_EQ(Said(Merge(EmptyAnswer(ResolverStatus::kNoAddress), found)), "found 192.0.2.1 for 60");
  for (const ResolverStatus unknown : {ResolverStatus::kFailed, ResolverStatus::kTryAgain}) {
    EXPECT_EQ(Said(Merge(found, EmptyAnswer(unknown))), "found 192.0.2.1 for 5");
    EXPECT_EQ(Said(Merge(EmptyAnswer(unknown), found)), "found 192.0.2.1 for 5");
  }
  EXPECT_EQ(Said(Merge(six, found)), "found 192.0.2.1 2001:db8::1 for 50");
}

}  // namespace
}  // namespace sockgate::testing
