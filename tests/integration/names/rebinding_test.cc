// A name server that gives a public address to have the name let through, and loopback when it is
// asked again: the oldest way into the network that a fetcher stands in.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/names/audit_file.h"
#include "tests/integration/names/names_broker.h"
#include "tests/integration/names/names_worker.h"
#include "tests/integration/names/places.h"
#include "tests/integration/server_process.h"
#include "tests/support/fake_dns.h"

namespace sockgate::testing {
namespace {

constexpr int kTransfers = 40;
constexpr char kPublic[] = "8.8.8.1";

struct Tally {
  int reached = 0;
  int denied = 0;
  int others = 0;  // a canary does not answer, so one is enough to wait for

  void Add(const Ended& ended) {
    const bool was_denied = ended.error.kind == ConnectError::Kind::kDenied;
    (ended.code == CURLE_OK ? reached : was_denied ? denied : others) += 1;
  }
  std::string ToString() const { return absl::StrCat(reached, " reached, ", denied, " denied"); }
};

class RebindingTest : public ::testing::TestWithParam<ConnectMode> {
 protected:
  // Every other answer is loopback, and none may be kept.
  void StartDns() {
    dns_.Start([this](const DnsQuery& query) {
      DnsReply reply(query);
      if (query.type == kTypeA) {
        reply.A(query.name, 0, answers_++ % 2 == 0 ? kPublic : "127.0.0.1");
      }
      return std::vector<std::string>{reply.bytes()};
    });
  }

  std::string Url(const std::string& host) const {
    return absl::StrCat("http://", host, ":", canary_.port(), "/status/204");
  }

  CurlAdapterOptions Mode() const {
    CurlAdapterOptions options;
    options.mode = GetParam();
    return options;
  }

  std::string RunInWorker(const std::string& role,
                          const std::function<std::string(BrokerClient&)>& piece) {
    broker_ = StartNamesBroker(OneRole(dns_.port(), role), audit_);
    NamesWorker worker(*broker_,
                       [&](const NamesWorker::Inside& inside) { return piece(inside.client()); });
    StartDns();
    return worker.Text();
  }

  // And no decision that let a connection to loopback through.
  void ExpectDropsInTheLog(int count) {
    broker_->Stop();
    int drops = 0;
    for (const auto& answer : audit_.Lines("answer")) drops += answer.value("dropped", 0);
    EXPECT_EQ(drops, count);
    for (const auto& decision : audit_.Lines("decision")) {
      EXPECT_TRUE(decision.at("verdict") == "deny" ||
                  absl::StartsWith(decision.at("target").get<std::string>(), kPublic))
          << decision;
    }
  }

  FakeDns dns_;
  std::atomic<int> answers_ = 0;
  const Canary canary_{"127.0.0.1"};
  // The same port, so that an address alone makes the difference.
  ServerProcess server_{ServerAt(kPublic, canary_.port())};
  AuditFile audit_;
  absl::StatusOr<BrokerProcess> broker_ = absl::UnknownError("not started");
};

INSTANTIATE_TEST_SUITE_P(Modes, RebindingTest, BothModes(), ModeName);

// Neither this nor kAllPublic opens loopback.
constexpr char kByName[] = "allow = [{ host = 'rebind.test', ports = '*' }]\n";

TEST_P(RebindingTest, OneTransferAfterTheOther) {
  const std::string text = RunInWorker(kAllPublic, [&](BrokerClient& client) {
    CurlAdapter adapter(&client, Mode());
    Tally tally;
    for (int i = 0; i < kTransfers && tally.others == 0; ++i) {
      tally.Add(Perform(adapter, Url("rebind.test")));
    }
    return tally.ToString();
  });
  EXPECT_EQ(text, "20 reached, 20 denied");
  EXPECT_FALSE(canary_.touched());
  ExpectDropsInTheLog(kTransfers / 2);
}

// Those of one round ask one question together.
TEST_P(RebindingTest, ManyTransfersAtOnce) {
  constexpr int kRounds = 4;
  const std::string text = RunInWorker(kByName, [&](BrokerClient& client) {
    CurlAdapter adapter(&client, Mode());
    Tally tally;
    for (int i = 0; i < kRounds && tally.others == 0; ++i) {
      const std::vector<std::string> urls(kTransfers / kRounds, Url("rebind.test"));
      for (const Ended& ended : PerformTogether(adapter, urls)) tally.Add(ended);
    }
    return absl::StrCat(tally.reached + tally.denied, ", reached some: ", tally.reached > 0);
  });
  EXPECT_EQ(text, absl::StrCat(kTransfers, ", reached some: 1"));
  EXPECT_FALSE(canary_.touched());
}

// What the name has led to stays usable for a while; what it was refused for does not become so.
TEST_P(RebindingTest, ALeaseIsForTheAddressThatWasLetThrough) {
  const std::string text = RunInWorker(kByName, [&](BrokerClient& client) {
    TransferOptions own_answer;
    own_answer.resolve = {absl::StrCat("rebind.test:", canary_.port(), ":127.0.0.1")};
    std::string said;
    for (const char* host : {"rebind.test", "127.0.0.1", "rebind.test", "8.8.8.1"}) {
      absl::StrAppend(&said, Fetch(client, GetParam(), Url(host)), "\n");
    }
    return said + Fetch(client, GetParam(), Url("rebind.test"), own_answer);
  });
  const std::string denied = absl::StrCat("code 7 errno 0; 127.0.0.1:", canary_.port(),
                                          ": denied by the default (no-rule-matches)");
  EXPECT_EQ(text, absl::StrCat("code 0 status 204 body ; No error\n", denied, "\n",
                               "code 6 errno 0; rebind.test: denied (special-purpose-address)\n",
                               "code 0 status 204 body ; No error\n", denied));
  EXPECT_FALSE(canary_.touched());
}

}  // namespace
}  // namespace sockgate::testing
