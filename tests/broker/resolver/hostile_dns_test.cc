// The resolver against a name server that says what it should not, or nothing. Everything ends in a
// clear status in bounded time, and the next lookup works.

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/broker/resolver/resolver_client.h"
#include "tests/support/fake_dns.h"

namespace sockgate::testing {
namespace {

using std::chrono::milliseconds;
using Messages = std::vector<std::string>;

// OptionsFor(): 200 ms, two tries.
constexpr milliseconds kBound(400);
constexpr milliseconds kSlack(600);

class HostileDns : public ::testing::Test {
 protected:
  // What `script` leaves alone and begins with "good" has 192.0.2.1 and 2001:db8::1.
  void Start(FakeDns::Script script) {
    ASSERT_TRUE(client_.AwaitResolver());
    dns_.Start([script](const DnsQuery& query) -> Messages {
      if (query.name.rfind("good", 0) != 0) return script(query);
      return {Good(query)};
    });
  }

  static std::string Good(const DnsQuery& query) {
    DnsReply reply(query);
    if (query.type == kTypeA) reply.A(query.name, 60, "192.0.2.1");
    if (query.type == kTypeAaaa) reply.Aaaa(query.name, 60, "2001:db8::1");
    return reply.bytes();
  }

  ResolverAnswer Resolve(const std::string& name) {
    const auto began = std::chrono::steady_clock::now();
    const auto answer = client_.Resolve(name);
    EXPECT_LT(std::chrono::steady_clock::now() - began, kBound + kSlack);
    EXPECT_TRUE(answer.has_value()) << "the resolver has ended";
    return answer.value_or(ResolverAnswer());
  }

  void ExpectNextWorks() {
    const ResolverAnswer answer = Resolve("good.example");
    EXPECT_EQ(answer.status, ResolverStatus::kFound);
    EXPECT_EQ(AddressesOf(answer), "192.0.2.1 2001:db8::1");
  }

  void ExpectStatus(FakeDns::Script script, ResolverStatus status) {
    Start(std::move(script));
    EXPECT_EQ(Resolve("bad.example").status, status);
    ExpectNextWorks();
  }

  FakeDns dns_;
  ResolverClient client_{OptionsFor(dns_.port())};
};

TEST_F(HostileDns, Silent) {
  ExpectStatus([](const DnsQuery&) { return Messages(); }, ResolverStatus::kTryAgain);
}

TEST_F(HostileDns, TooSlow) {
  Start([](const DnsQuery& query) {
    std::this_thread::sleep_for(milliseconds(450));
    return Messages{Good(query)};
  });
  EXPECT_EQ(Resolve("bad.example").status, ResolverStatus::kTryAgain);
  // The server has one thread, and all the queries that it was late for.
  std::this_thread::sleep_for(milliseconds(4 * 450));
  ExpectNextWorks();
}

TEST_F(HostileDns, Garbage) {
  ExpectStatus(
      [](const DnsQuery&) {
        return Messages{"", "x", std::string(600, '\xff')};
      },
      ResolverStatus::kTryAgain);
}

TEST_F(HostileDns, GarbageBehindAnHonestHeader) {
  ExpectStatus(
      [](const DnsQuery& query) {
        std::string reply = DnsReply(query).bytes() + std::string(40, '\xc0');
        reply[7] = 1;  // one answer
        return Messages{reply};
      },
      ResolverStatus::kFailed);
}

TEST_F(HostileDns, CompressionThatPointsAtItself) {
  ExpectStatus(
      [](const DnsQuery& query) {
        std::string reply = Good(query);
        const size_t name = 12 + query.question.size();
        reply[name] = '\xc0';
        reply[name + 1] = static_cast<char>(name);
        return Messages{reply};
      },
      ResolverStatus::kFailed);
}

TEST_F(HostileDns, WrongId) {
  ExpectStatus(
      [](const DnsQuery& query) {
        return Messages{DnsReply(query).WrongId().A(query.name, 60, "192.0.2.66").bytes()};
      },
      ResolverStatus::kTryAgain);
}

TEST_F(HostileDns, WrongQuestion) {
  ExpectStatus(
      [](const DnsQuery& query) {
        return Messages{DnsReply(query)
                            .Question("evil.example", query.type)
                            .A("evil.example", 60, "192.0.2.66")
                            .bytes()};
      },
      ResolverStatus::kTryAgain);
}

TEST_F(HostileDns, AForgedAnswerBeforeTheTrueOneIsPassedOver) {
  Start([](const DnsQuery& query) {
    return Messages{DnsReply(query).WrongId().A(query.name, 60, "192.0.2.66").bytes(), Good(query)};
  });
  EXPECT_EQ(AddressesOf(Resolve("bad.example")), "192.0.2.1 2001:db8::1");
}

TEST_F(HostileDns, TruncatedThenWholeByTcp) {
  Start([](const DnsQuery& query) {
    return Messages{query.tcp ? Good(query) : DnsReply(query).Truncated().bytes()};
  });
  EXPECT_EQ(AddressesOf(Resolve("big.example")), "192.0.2.1 2001:db8::1");
  bool by_tcp = false;
  for (const DnsQuery& query : dns_.queries()) by_tcp |= query.tcp;
  EXPECT_TRUE(by_tcp);
  ExpectNextWorks();
}

TEST_F(HostileDns, TruncatedThenSilentByTcp) {
  ExpectStatus(
      [](const DnsQuery& query) {
        return query.tcp ? Messages() : Messages{DnsReply(query).Truncated().bytes()};
      },
      ResolverStatus::kTryAgain);
}

TEST_F(HostileDns, SixtyFourKilobytesByTcp) {
  Start([](const DnsQuery& query) {
    DnsReply reply(query);
    if (!query.tcp) return Messages{reply.Truncated().bytes()};
    const size_t record = query.name.size() + 2 + 10 + (query.type == kTypeA ? 4 : 16);
    const size_t count = (65535 - 12 - query.question.size()) / record;
    for (size_t i = 0; i < count; ++i) {
      const std::string end = std::to_string(i % 250 + 1);
      if (query.type == kTypeA) reply.A(query.name, 60, "192.0.2." + end);
      if (query.type == kTypeAaaa) reply.Aaaa(query.name, 60, "2001:db8::" + end);
    }
    return Messages{reply.bytes()};
  });
  const ResolverAnswer answer = Resolve("huge.example");
  EXPECT_EQ(answer.status, ResolverStatus::kFound);
  EXPECT_EQ(answer.v4_count, kMaxAddressesPerFamily);
  EXPECT_EQ(answer.v6_count, kMaxAddressesPerFamily);
  ExpectNextWorks();
}

TEST_F(HostileDns, NoSuchName) {
  Start([](const DnsQuery& query) {
    return Messages{DnsReply(query, kNameError).Soa("example", 300, 120).bytes()};
  });
  const ResolverAnswer answer = Resolve("bad.example");
  EXPECT_EQ(answer.status, ResolverStatus::kNoName);
  EXPECT_EQ(answer.ttl_seconds, 120U);
  ExpectNextWorks();
}

TEST_F(HostileDns, NoAddressHoldsAsLongAsForBothFamilies) {
  Start([](const DnsQuery& query) {
    const uint32_t ttl = query.type == kTypeA ? 90 : 80;
    return Messages{DnsReply(query).Soa("example", ttl, 120).bytes()};
  });
  const ResolverAnswer answer = Resolve("bad.example");
  EXPECT_EQ(answer.status, ResolverStatus::kNoAddress);
  EXPECT_EQ(answer.ttl_seconds, 80U);
  ExpectNextWorks();
}

TEST_F(HostileDns, NoWithoutAnSoaRecordHoldsForNoTime) {
  Start([](const DnsQuery& query) { return Messages{DnsReply(query, kNameError).bytes()}; });
  const ResolverAnswer answer = Resolve("bad.example");
  EXPECT_EQ(answer.status, ResolverStatus::kNoName);
  EXPECT_EQ(answer.ttl_seconds, 0U);
  ExpectNextWorks();
}

TEST_F(HostileDns, AnAuthoritySectionThatIsCut) {
  ExpectStatus(
      [](const DnsQuery& query) {
        std::string reply = DnsReply(query, kNameError).Soa("example", 300, 120).bytes();
        reply.resize(reply.size() - 3);
        return Messages{reply};
      },
      ResolverStatus::kFailed);
}

TEST_F(HostileDns, OnionNamesAreNotAskedFor) {
  Start([](const DnsQuery& query) { return Messages{Good(query)}; });
  EXPECT_EQ(Resolve("hidden.onion").status, ResolverStatus::kNoName);
  EXPECT_TRUE(dns_.queries().empty());
  ExpectNextWorks();
}

TEST_F(HostileDns, ServerFailure) {
  ExpectStatus(
      [](const DnsQuery& query) { return Messages{DnsReply(query, kServerFailure).bytes()}; },
      ResolverStatus::kTryAgain);
}

TEST_F(HostileDns, Refused) {
  ExpectStatus([](const DnsQuery& query) { return Messages{DnsReply(query, kRefused).bytes()}; },
               ResolverStatus::kTryAgain);
}

TEST_F(HostileDns, ChainOfAliases) {
  Start([](const DnsQuery& query) {
    DnsReply reply(query);
    reply.Cname(query.name, 40, "b.example").Cname("b.example", 7, "c.example");
    if (query.type == kTypeA) reply.A("c.example", 90, "192.0.2.9");
    return Messages{reply.bytes()};
  });
  const ResolverAnswer answer = Resolve("a.example");
  EXPECT_EQ(AddressesOf(answer), "192.0.2.9");
  EXPECT_EQ(answer.canonical_name, "c.example");
  EXPECT_EQ(answer.ttl_seconds, 7U);
  ExpectNextWorks();
}

TEST_F(HostileDns, LoopOfAliases) {
  ExpectStatus(
      [](const DnsQuery& query) {
        return Messages{DnsReply(query)
                            .Cname(query.name, 60, "b.example")
                            .Cname("b.example", 60, query.name)
                            .bytes()};
      },
      ResolverStatus::kNoAddress);
}

TEST_F(HostileDns, Ipv4InIpv6ClothingIsNoAddress) {
  ExpectStatus(
      [](const DnsQuery& query) {
        DnsReply reply(query);
        if (query.type == kTypeAaaa) reply.Aaaa(query.name, 60, "::ffff:127.0.0.1");
        return Messages{reply.bytes()};
      },
      ResolverStatus::kNoAddress);
}

TEST_F(HostileDns, OneFamilyIsEnough) {
  Start([](const DnsQuery& query) {
    return query.type == kTypeA ? Messages{Good(query)} : Messages();
  });
  EXPECT_EQ(AddressesOf(Resolve("half.example")), "192.0.2.1");
}

TEST(PatientResolver, TakesASlowAnswerWithinTheBound) {
  FakeDns dns;
  ResolverOptions options = OptionsFor(dns.port());
  options.timeout_ms = 4000;
  ResolverClient client(options);
  ASSERT_TRUE(client.AwaitResolver());
  dns.Start([](const DnsQuery& query) {
    std::this_thread::sleep_for(milliseconds(100));
    DnsReply reply(query);
    if (query.type == kTypeA) reply.A(query.name, 60, "192.0.2.1");
    if (query.type == kTypeAaaa) reply.Aaaa(query.name, 60, "2001:db8::1");
    return Messages{reply.bytes()};
  });
  EXPECT_EQ(AddressesOf(*client.Resolve("slow.example")), "192.0.2.1 2001:db8::1");
}

TEST(PatientResolver, WaitsASecondForTheOtherFamilyAndNotForTheWholeTime) {
  FakeDns dns;
  ResolverOptions options = OptionsFor(dns.port());
  options.timeout_ms = 4000;
  ResolverClient client(options);
  ASSERT_TRUE(client.AwaitResolver());
  dns.Start([](const DnsQuery& query) {
    if (query.type == kTypeA) return Messages();
    return Messages{DnsReply(query).Aaaa(query.name, 60, "2001:db8::1").bytes()};
  });
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(AddressesOf(*client.Resolve("half.example")), "2001:db8::1");
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, milliseconds(900));
  EXPECT_LT(took, milliseconds(2000));
}

TEST_F(HostileDns, EachQuestionHasItsOwnPort) {
  Start([](const DnsQuery&) { return Messages(); });
  constexpr int kQuestions = 30;
  for (int i = 0; i < kQuestions; ++i) {
    client_.Ask(static_cast<uint32_t>(i + 1), "good" + std::to_string(i) + ".example");
  }
  for (int i = 0; i < kQuestions; ++i) ASSERT_TRUE(client_.AwaitAnswer().has_value());
  std::set<uint16_t> ports;
  std::set<std::string> names;
  for (const DnsQuery& query : dns_.queries()) {
    ports.insert(query.source_port);
    names.insert(query.name);
  }
  EXPECT_EQ(names.size(), size_t{kQuestions});
  EXPECT_EQ(ports.size(), size_t{kQuestions});
}

TEST_F(HostileDns, MoreQuestionsThanFitAreBusyAndAllAreAnswered) {
  Start([](const DnsQuery&) { return Messages(); });
  constexpr uint32_t kQuestions = 2500;
  for (uint32_t i = 1; i <= kQuestions; ++i) client_.Ask(i, "silent.example");
  std::set<uint32_t> answered;
  size_t busy = 0;
  for (uint32_t i = 0; i < kQuestions; ++i) {
    const auto answer = client_.AwaitAnswer();
    ASSERT_TRUE(answer.has_value());
    answered.insert(answer->id);
    busy += answer->status == ResolverStatus::kBusy ? 1 : 0;
  }
  EXPECT_EQ(answered.size(), kQuestions);
  EXPECT_GT(busy, 0U);
  EXPECT_LE(busy, size_t{kQuestions} - 2048);
  ExpectNextWorks();
}

// Ten tries that double from 20 ms take c-ares 20 s; the questions may take 200 ms.
TEST(SilentDns, QuestionsThatRanOutOfTimeDoNotPileUp) {
  FakeDns dns;
  ResolverOptions options = OptionsFor(dns.port());
  options.timeout_ms = 20;
  options.tries = 10;
  ResolverClient client(options);
  ASSERT_TRUE(client.AwaitResolver());
  dns.Start([](const DnsQuery&) { return Messages(); });
  constexpr uint32_t kRounds = 20;
  constexpr uint32_t kPerRound = 60;
  for (uint32_t i = 0; i < kRounds * kPerRound; ++i) {
    if (i % kPerRound == 0) std::this_thread::sleep_for(milliseconds(100));
    client.Ask(i + 1, "n" + std::to_string(i) + ".example");
  }
  for (uint32_t i = 0; i < kRounds * kPerRound; ++i) {
    const auto answer = client.AwaitAnswer();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, ResolverStatus::kTryAgain);
  }
}

}  // namespace
}  // namespace sockgate::testing
