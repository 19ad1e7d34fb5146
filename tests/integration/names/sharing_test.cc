// What workers share and what they do not: answers within a role, leases never.

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/integration/names/audit_file.h"
#include "tests/integration/names/dnsmasq.h"
#include "tests/integration/names/names_broker.h"
#include "tests/integration/names/names_worker.h"
#include "tests/integration/names/places.h"
#include "tests/integration/server_process.h"

namespace sockgate::testing {
namespace {

constexpr char kRoles[] =
    "[roles.one]\nallow = [{ host = 'name.test', ports = '*' }]\n"
    "[roles.two]\nallow = [{ host = 'name.test', ports = '*' }]\n";

class SharingTest : public ::testing::TestWithParam<ConnectMode> {
 protected:
  std::string Url(const std::string& host) const {
    return absl::StrCat("http://", host, ":", server_.port(), "/status/204");
  }

  std::string Get(const std::string& role, const std::string& host) {
    return NamesWorker(broker_, role,
                       [&](const NamesWorker::Inside& inside) {
                         return Fetch(inside.client(), GetParam(), Url(host));
                       })
        .Text();
  }

  std::string Denied() const {
    return absl::StrCat("code 7 errno 0; 8.8.8.1:", server_.port(),
                        ": denied by the default (no-rule-matches)");
  }

  const Dnsmasq dns_{{"--host-record=name.test,8.8.8.1"}};
  ServerProcess server_{ServerAt(PublicAddress(1))};
  AuditFile audit_;
  BrokerProcess broker_ = StartNamesBroker(PolicyText(dns_.port(), kRoles), audit_);
};

INSTANTIATE_TEST_SUITE_P(Modes, SharingTest, BothModes(), ModeName);

TEST_P(SharingTest, ALeaseHelpsTheWorkerThatAskedAndNoOther) {
  NamesWorker asker(broker_, "one", [&](const NamesWorker::Inside& inside) {
    const std::string before = Fetch(inside.client(), GetParam(), Url("8.8.8.1"));
    const std::string by_name = Fetch(inside.client(), GetParam(), Url("name.test"));
    inside.Pause();
    const std::string after = Fetch(inside.client(), GetParam(), Url("8.8.8.1"));
    return absl::StrCat(before, "\n", by_name, "\n", after);
  });
  asker.AwaitPause();
  EXPECT_EQ(Get("one", "8.8.8.1"), Denied()) << "of the same role";
  EXPECT_EQ(Get("two", "8.8.8.1"), Denied());
  asker.Resume();
  EXPECT_EQ(asker.Text(), absl::StrCat(Denied(), "\n", kWell, "\n", kWell));
}

TEST_P(SharingTest, WorkersOfOneRoleShareAnAnswer) {
  EXPECT_EQ(Get("one", "name.test"), kWell);
  EXPECT_EQ(Get("one", "name.test"), kWell);
  EXPECT_EQ(dns_.TimesAsked("name.test"), 1U);
  broker_.Stop();
  const auto answers = audit_.Lines("answer");
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].at("source"), "resolver");
  EXPECT_EQ(answers[1].at("source"), "cache");
}

// Otherwise the time that a lookup takes would tell what the other role has looked up.
TEST_P(SharingTest, RolesShareNoAnswer) {
  EXPECT_EQ(Get("one", "name.test"), kWell);
  EXPECT_EQ(Get("two", "name.test"), kWell);
  EXPECT_EQ(dns_.TimesAsked("name.test"), 2U);
}

}  // namespace
}  // namespace sockgate::testing
