// BrokerClient::Resolve() against a broker that says what the test wants said.

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "client/broker_client.h"
#include "tests/client/fake_broker.h"
#include "tests/client/fake_resolver.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;
using testing::Addresses;
using testing::Failure;
using testing::FakeResolver;
using testing::Refusal;

TEST(ResolveTest, AddressesTtlCanonicalNameAndRule) {
  FakeResolver broker;
  ResolveReply reply = Addresses({"192.0.2.1", "2001:db8::1", "192.0.2.2"});
  reply.canonical_name = "real.test";
  reply.result.rule = 7;
  broker.Set("a.test", reply);
  broker.Start();
  const auto client = *BrokerClient::FromDescriptor(broker.TakeWorkerEnd());
  EXPECT_TRUE(client->resolves());
  const ResolveResult result = client->Resolve("a.test", NameFamily::kAny);
  ASSERT_TRUE(result.error.ok()) << result.error.ToString();
  ASSERT_EQ(result.addresses.size(), 3U);
  EXPECT_EQ(result.addresses[0].ToString(), "2001:db8::1");
  EXPECT_EQ(result.addresses[1].ToString(), "192.0.2.1");
  EXPECT_EQ(result.addresses[2].ToString(), "192.0.2.2");
  EXPECT_EQ(result.ttl_seconds, 60U);
  EXPECT_EQ(result.canonical_name, "real.test");
  EXPECT_EQ(result.rule, 7U);

  EXPECT_EQ(client->Resolve("a.test", NameFamily::kIpv6).addresses.size(), 1U);
  EXPECT_EQ(client->Resolve("a.test", NameFamily::kIpv4).addresses.size(), 2U);
  EXPECT_EQ(broker.asked(), std::vector<std::string>({"a.test any", "a.test v6", "a.test v4"}));
}

TEST(ResolveTest, WhyThereIsNoAddress) {
  const struct {
    const char* name;
    ResolveReply reply;
    Kind kind;
    int error_number;
    const char* text;
  } cases[] = {
      {"denied.test", Refusal(Outcome::kDenied, Reason::kDenyRule, 3), Kind::kDenied, EACCES,
       "denied by rule 3 (deny-rule)"},
      {"none.test", Failure(ENOENT), Kind::kLookup, ENOENT, "allowed, but the name does not exist"},
      {"empty.test", Failure(ENODATA), Kind::kLookup, ENODATA,
       "allowed, but the name has none of the addresses asked for"},
      {"slow.test", Failure(EAGAIN), Kind::kLookup, EAGAIN,
       "allowed, but no name server gave an answer, try again"},
      {"broken.test", Failure(EIO), Kind::kLookup, EIO, "allowed, but the lookup failed"},
      {"no.test", Failure(EOPNOTSUPP), Kind::kNoResolver, EOPNOTSUPP,
       "this broker does not resolve names"},
      {"busy.test", Refusal(Outcome::kLimited, Reason::kOutstanding), Kind::kLimited, EAGAIN,
       "over a limit of the role (too-many-outstanding), try again in 100 ms"},
  };
  FakeResolver broker;
  for (const auto& one : cases) broker.Set(one.name, one.reply);
  broker.Start();
  const auto client = *BrokerClient::FromDescriptor(broker.TakeWorkerEnd());
  for (const auto& one : cases) {
    const ResolveResult result = client->Resolve(one.name, NameFamily::kAny);
    EXPECT_EQ(result.error.kind, one.kind) << one.name;
    EXPECT_EQ(result.error.error_number, one.error_number) << one.name;
    EXPECT_EQ(result.error.ToString(), one.text);
    EXPECT_TRUE(result.addresses.empty());
  }
}

TEST(ResolveTest, WhatNoDnsNameLooksLikeDoesNotExist) {
  FakeResolver broker;
  broker.Start();
  const auto client = *BrokerClient::FromDescriptor(broker.TakeWorkerEnd());
  for (const std::string& name : {std::string(), std::string(254, 'a'), std::string("a\0b", 3)}) {
    const ResolveResult result = client->Resolve(name, NameFamily::kAny);
    EXPECT_EQ(result.error.kind, Kind::kLookup);
    EXPECT_EQ(result.error.error_number, ENOENT);
  }
  EXPECT_TRUE(broker.asked().empty());
  EXPECT_EQ(client->Resolve(std::string(253, 'a'), NameFamily::kAny).error.error_number, ENOENT);
  EXPECT_EQ(broker.asked().size(), 1U);
}

TEST(ResolveTest, ABrokerThatDoesNotResolveIsNotEvenAsked) {
  testing::FakeBroker broker;
  broker.Greet();
  const auto client = *BrokerClient::FromDescriptor(broker.TakeWorkerEnd());
  decltype(Request::body) body;
  ASSERT_EQ(broker.NextRequest(&body), 1U);
  EXPECT_EQ(std::get<Hello>(body).capabilities, kCapabilityResolve);
  EXPECT_FALSE(client->resolves());
  EXPECT_EQ(client->Resolve("a.test", NameFamily::kAny).error.kind, Kind::kNoResolver);
  EXPECT_EQ(broker.NextRequest(nullptr, 0), 0U);
}

TEST(ResolveTest, ABrokerThatHasGone) {
  FakeResolver broker;
  broker.Start();
  const auto client = *BrokerClient::FromDescriptor(broker.TakeWorkerEnd());
  broker.Stop();
  const ResolveResult result = client->Resolve("a.test", NameFamily::kAny);
  EXPECT_EQ(result.error.kind, Kind::kBrokerGone);
  EXPECT_EQ(result.error.error_number, EPIPE);
}

}  // namespace
}  // namespace sockgate
