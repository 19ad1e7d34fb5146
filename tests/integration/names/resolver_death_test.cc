// The resolver is killed while it has a question: whoever waits is told to try again, and the next
// resolver answers the next lookup.

#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/names/audit_file.h"
#include "tests/integration/names/names_broker.h"
#include "tests/integration/names/names_worker.h"
#include "tests/integration/names/places.h"
#include "tests/integration/server_process.h"
#include "tests/support/fake_dns.h"

namespace sockgate::testing {
namespace {

// Nothing else ends a lookup of this test in less.
constexpr int kTimeoutMs = 20'000;

constexpr char kTryAgain[] =
    "code 6 errno 0; slow.test: allowed, but no name server gave an answer, try again";

class ResolverDeathTest : public ::testing::TestWithParam<ConnectMode> {
 protected:
  // Silent about slow.test alone.
  void StartDns() {
    dns_.Start([](const DnsQuery& query) {
      DnsReply reply(query);
      if (query.name == "slow.test") return std::vector<std::string>();
      if (query.type == kTypeA) reply.A(query.name, 60, PublicAddress(1));
      return std::vector<std::string>{reply.bytes()};
    });
  }

  bool AwaitQuery(const std::string& name) const {
    for (int i = 0; i < 1000; ++i) {
      for (const DnsQuery& query : dns_.queries()) {
        if (query.name == name) return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  std::string Url(const std::string& host) const {
    return absl::StrCat("http://", host, ":", server_.port(), "/status/204");
  }

  FakeDns dns_;
  ServerProcess server_{ServerAt(PublicAddress(1))};
  AuditFile audit_;
  BrokerProcess broker_ = StartNamesBroker(OneRole(dns_.port(), kAllPublic, kTimeoutMs), audit_);
};

INSTANTIATE_TEST_SUITE_P(Modes, ResolverDeathTest, BothModes(), ModeName);

TEST_P(ResolverDeathTest, InTheMiddleOfAQuery) {
  NamesWorker worker(broker_, [&](const NamesWorker::Inside& inside) {
    std::string text;
    for (const char* host : {"first.test", "slow.test", "next.test"}) {
      absl::StrAppend(&text, Fetch(inside.client(), GetParam(), Url(host)), "\n");
    }
    return text;
  });
  StartDns();
  ASSERT_TRUE(AwaitQuery("slow.test"));
  const pid_t resolver = ResolverOf(broker_);
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_EQ(kill(resolver, SIGKILL), 0);
  EXPECT_EQ(worker.Text(), absl::StrCat(kWell, "\n", kTryAgain, "\n", kWell, "\n"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(kTimeoutMs / 2));
  EXPECT_GT(ResolverOf(broker_, resolver), 0);

  broker_.Stop();
  const auto answers = audit_.Lines("answer");
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[1].at("name"), "slow.test");
  EXPECT_EQ(answers[1].at("outcome"), "failed");
  EXPECT_EQ(answers[1].at("errno"), EAGAIN);
  EXPECT_EQ(answers[2].at("outcome"), "resolved");
}

// Every lookup that the dead one had, of every worker, hears of it.
TEST_P(ResolverDeathTest, WithManyLookupsUnderWay) {
  constexpr size_t kMany = 20;
  const auto fetch = [&](const NamesWorker::Inside& inside) {
    CurlAdapterOptions options;
    options.mode = GetParam();
    CurlAdapter adapter(&inside.client(), options);
    size_t again = 0;
    for (const Ended& ended :
         PerformTogether(adapter, std::vector<std::string>(kMany, Url("slow.test")))) {
      again +=
          ended.error.kind == ConnectError::Kind::kLookup && ended.error.error_number == EAGAIN;
    }
    return absl::StrCat(again, " told to try again; ",
                        Fetch(inside.client(), GetParam(), Url("next.test")));
  };
  NamesWorker one(broker_, fetch);
  NamesWorker other(broker_, fetch);
  StartDns();
  ASSERT_TRUE(AwaitQuery("slow.test"));
  // By now all of them wait for it: they are told apart in no other way.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  ASSERT_EQ(kill(ResolverOf(broker_), SIGKILL), 0);
  const std::string all = absl::StrCat(kMany, " told to try again; ", kWell);
  EXPECT_EQ(one.Text(), all);
  EXPECT_EQ(other.Text(), all);
}

}  // namespace
}  // namespace sockgate::testing
