// What a name leads to is judged address by address, and an alias as the name that was asked for.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/integration/names/audit_file.h"
#include "tests/integration/names/dnsmasq.h"
#include "tests/integration/names/names_broker.h"
#include "tests/integration/names/names_worker.h"
#include "tests/integration/names/places.h"
#include "tests/integration/server_process.h"

namespace sockgate::testing {
namespace {

// Rules 2 to 4 deny.
constexpr char kRole[] =
    "allow = [{ public = true, ports = '*' }]\n"
    "deny = [{ host = 'denied.test' }, { cidr = '8.8.8.2' }, { host = '*.denied.test' }]\n";

std::vector<std::string> Zone() {
  std::vector<std::string> zone = {
      "--host-record=denied.test,8.8.8.1",    "--cname=alias.test,denied.test",
      "--host-record=inside.test,10.1.1.1",   "--cname=to-inside.test,inside.test",
      "--host-record=elsewhere.test,8.8.8.2", "--cname=to-elsewhere.test,elsewhere.test",
  };
  for (const char* address : {"8.8.8.1", "10.1.1.1", "127.0.0.1", "8.8.8.3", "192.168.7.7",
                              "169.254.169.254", "::1", "fd00::1", "2600::1", "fe80::1"}) {
    zone.push_back(absl::StrCat("--host-record=mixed.test,", address));
  }
  return zone;
}

class AddressesTest : public ::testing::TestWithParam<ConnectMode> {
 protected:
  std::string Url(const std::string& host) const {
    return absl::StrCat("http://", host, ":", server_.port(), "/status/204");
  }
  std::string Get(const std::string& host) { return FetchInWorker(broker_, GetParam(), Url(host)); }

  const Dnsmasq dns_{Zone()};
  ServerProcess server_{ServerAt(PublicAddress(1))};
  // The same port where none of the names may lead.
  const Canary loopback_{"127.0.0.1", server_.port()};
  const Canary private_{kPrivate, server_.port()};
  AuditFile audit_;
  BrokerProcess broker_ = StartNamesBroker(OneRole(dns_.port(), kRole), audit_);
};

INSTANTIATE_TEST_SUITE_P(Modes, AddressesTest, BothModes(), ModeName);

TEST_P(AddressesTest, OfPublicAndPrivateOnesOnlyThePublicAreGiven) {
  NamesWorker worker(broker_, [](const NamesWorker::Inside& inside) {
    std::vector<std::string> given;
    for (const IpAddress& address :
         inside.client().Resolve("mixed.test", NameFamily::kAny).addresses) {
      given.push_back(address.ToString());
    }
    std::sort(given.begin(), given.end());
    return absl::StrJoin(given, " ");
  });
  EXPECT_EQ(worker.Text(), "2600::1 8.8.8.1 8.8.8.3");
  broker_.Stop();
  const auto answers = audit_.Lines("answer");
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].value("dropped", 0), 7);
  EXPECT_EQ(answers[0].value("v4", 0), 2);
  EXPECT_EQ(answers[0].value("v6", 0), 1);
}

// Nobody listens at two of the three public ones, so libcurl goes on to the next as it always does.
TEST_P(AddressesTest, OfPublicAndPrivateOnesOnlyThePublicAreReached) {
  for (int i = 0; i < 10; ++i) ASSERT_EQ(Get("mixed.test"), kWell);
  EXPECT_FALSE(loopback_.touched());
  EXPECT_FALSE(private_.touched());
  broker_.Stop();
  for (const auto& decision : audit_.Lines("decision")) {
    EXPECT_EQ(decision.at("verdict"), "allow") << "of what was never given: " << decision;
  }
}

// POLICY.md, "Names": names in between are the name server's choice and hold nobody back.
TEST_P(AddressesTest, AnAliasOfADeniedNameIsJudgedAsTheNameThatWasAsked) {
  EXPECT_EQ(Get("alias.test"), kWell);
  EXPECT_EQ(Get("denied.test"), "code 6 errno 0; denied.test: denied by rule 2 (deny-rule)");
  EXPECT_EQ(dns_.TimesAsked("alias.test"), 1U);
  EXPECT_EQ(dns_.TimesAsked("denied.test"), 0U);
}

TEST_P(AddressesTest, AnAliasOfAPrivatePlaceIsDenied) {
  EXPECT_EQ(Get("to-inside.test"),
            "code 6 errno 0; to-inside.test: denied (special-purpose-address)");
  EXPECT_EQ(dns_.TimesAsked("to-inside.test"), 1U);
  EXPECT_FALSE(private_.touched());
}

TEST_P(AddressesTest, ADeniedRangeIsClosedUnderEveryName) {
  for (const char* host : {"elsewhere.test", "to-elsewhere.test"}) {
    EXPECT_EQ(Get(host), absl::StrCat("code 6 errno 0; ", host, ": denied by rule 3 (deny-rule)"));
  }
}

}  // namespace
}  // namespace sockgate::testing
