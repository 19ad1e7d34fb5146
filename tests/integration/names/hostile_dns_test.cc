// A name server that is silent, slow or lies, as a confined libcurl sees it: every lookup ends in
// bounded time with an error that says what is wrong, or well, and the next one works.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
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

using Messages = std::vector<std::string>;

constexpr int kTimeoutMs = 250;
// What the resolver promises, and what a busy machine adds.
constexpr int64_t kBoundMs = kTimeoutMs * kResolverTries + 1500;

constexpr char kTryAgain[] =
    "code 6 errno 0; bad.test: allowed, but no name server gave an answer, try again";
constexpr char kFailed[] = "code 6 errno 0; bad.test: allowed, but the lookup failed";

std::string Good(const DnsQuery& query) {
  DnsReply reply(query);
  if (query.type == kTypeA) reply.A(query.name, 60, PublicAddress(1));
  return reply.bytes();
}

struct Lie {
  const char* name;
  FakeDns::Script script;  // for bad.test; good.test is answered well
  const char* outcome;
};

// As many records as a message holds.
std::string Full(const DnsQuery& query) {
  DnsReply reply(query);
  const size_t record = query.name.size() + 2 + 10 + 4;
  const size_t count = (65535 - 12 - query.question.size()) / record;
  if (query.type != kTypeA) return reply.bytes();
  for (size_t i = 0; i < count; ++i) reply.A(query.name, 60, PublicAddress(1));
  return reply.bytes();
}

const std::vector<Lie>& Lies() {
  static const auto* const lies = new std::vector<Lie>{
      {"Silent", [](const DnsQuery&) { return Messages(); }, kTryAgain},
      {"SlowButInTime",
       [](const DnsQuery& query) {
         std::this_thread::sleep_for(std::chrono::milliseconds(kTimeoutMs / 4));
         return Messages{Good(query)};
       },
       kWell},
      // Both questions of the first try are lost.
      {"SilentAtTheFirstTry",
       [](const DnsQuery& query) {
         static std::atomic<int> queries = 0;
         return ++queries <= 2 ? Messages() : Messages{Good(query)};
       },
       kWell},
      {"TruncatedThenWholeByTcp",
       [](const DnsQuery& query) {
         return Messages{query.tcp ? Good(query) : DnsReply(query).Truncated().bytes()};
       },
       kWell},
      {"TruncatedThenSilentByTcp",
       [](const DnsQuery& query) {
         return query.tcp ? Messages() : Messages{DnsReply(query).Truncated().bytes()};
       },
       kTryAgain},
      {"SixtyFourKibibytesByTcp",
       [](const DnsQuery& query) {
         return Messages{query.tcp ? Full(query) : DnsReply(query).Truncated().bytes()};
       },
       kWell},
      {"Garbage",
       [](const DnsQuery&) {
         return Messages{"", "x", std::string(600, '\xff')};
       },
       kTryAgain},
      {"GarbageByTcp",
       [](const DnsQuery& query) {
         if (!query.tcp) return Messages{DnsReply(query).Truncated().bytes()};
         return Messages{std::string(65535, '\xff')};
       },
       kTryAgain},
      {"GarbageBehindAnHonestHeader",
       [](const DnsQuery& query) {
         std::string reply = DnsReply(query).bytes() + std::string(40, '\xc0');
         reply[7] = 1;  // one answer
         return Messages{reply};
       },
       kFailed},
      {"WrongId",
       [](const DnsQuery& query) {
         return Messages{DnsReply(query).WrongId().A(query.name, 60, PublicAddress(1)).bytes()};
       },
       kTryAgain},
      {"ServerFailure",
       [](const DnsQuery& query) { return Messages{DnsReply(query, kServerFailure).bytes()}; },
       kTryAgain},
      {"NoSuchName",
       [](const DnsQuery& query) { return Messages{DnsReply(query, kNameError).bytes()}; },
       "code 6 errno 0; bad.test: allowed, but the name does not exist"},
      {"NoAddress", [](const DnsQuery& query) { return Messages{DnsReply(query).bytes()}; },
       "code 6 errno 0; bad.test: allowed, but the name has none of the addresses asked for"},
  };
  return *lies;
}

class HostileDnsTest : public ::testing::TestWithParam<Lie> {
 protected:
  // Bad, then good; each outcome stands in a line, with a complaint if it was long in coming.
  std::string FetchBoth(BrokerClient& client) const {
    CurlAdapterOptions in_progress;
    in_progress.mode = ConnectMode::kInProgress;
    CurlAdapter adapter(&client, in_progress);
    std::string text;
    for (const char* host : {"bad.test", "good.test"}) {
      const Ended ended =
          Perform(adapter, absl::StrCat("http://", host, ":", server_.port(), "/status/204"));
      absl::StrAppend(&text, ended.ToString(), "; ", ended.explanation, "\n",
                      ended.ms > kBoundMs ? "and that took too long\n" : "");
    }
    return text;
  }

  FakeDns dns_;
  ServerProcess server_{ServerAt(PublicAddress(1))};
  AuditFile audit_;
  BrokerProcess broker_ = StartNamesBroker(OneRole(dns_.port(), kAllPublic, kTimeoutMs), audit_);
};

INSTANTIATE_TEST_SUITE_P(Lies, HostileDnsTest, ::testing::ValuesIn(Lies()),
                         [](const auto& lie) { return std::string(lie.param.name); });

TEST_P(HostileDnsTest, EndsInTimeAndTheNextWorks) {
  NamesWorker worker(broker_,
                     [&](const NamesWorker::Inside& inside) { return FetchBoth(inside.client()); });
  dns_.Start([](const DnsQuery& query) {
    return query.name == "bad.test" ? GetParam().script(query) : Messages{Good(query)};
  });
  EXPECT_EQ(worker.Text(), absl::StrCat(GetParam().outcome, "\n", kWell, "\n"));
}

}  // namespace
}  // namespace sockgate::testing
