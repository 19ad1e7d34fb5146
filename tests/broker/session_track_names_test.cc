// A reload judges tracked connections by names, too.

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/broker/lookup_world.h"

namespace sockgate {
namespace {

using testing::ConnectTo;
using testing::LookupWorld;
using testing::TestWorker;

class SessionTrackNamesTest : public ::testing::Test, protected LookupWorld {
 protected:
  SessionTrackNamesTest() {
    role.track = true;
    role.limits.lease_grace_ms = 0;
    role.policy = Policy({OnHost(Decision::kAllow, "*.example.com", "443"),
                          OnHost(Decision::kAllow, "www.example.org", "443")});
  }

  // A connection to 9.9.9.9, which www.example.com leads to for a second.
  void Connect(TestWorker* worker) {
    AskAndFind(worker, "www.example.com", 0, {"9.9.9.9"}, 1);
    EXPECT_EQ(worker->Ask(ConnectTo("9.9.9.9", 443)).result().outcome, Outcome::kConnected);
  }
  static void LetLeasesEnd() { std::this_thread::sleep_for(std::chrono::milliseconds(1200)); }
  void Adopt(std::vector<Rule> rules) {
    Role next = role;
    next.policy = Policy(std::move(rules));
    auto table = RoleTable::Make({next});
    ASSERT_TRUE(table.ok()) << table.status();
    Do([&] { server->Adopt(*table); });
  }
  // How many the reload has cut.
  size_t Ended() { return Audit("connection").size(); }
};

// A transfer may well take longer than the DNS's time.
TEST_F(SessionTrackNamesTest, ANameWhoseLeaseIsOverStillCounts) {
  TestWorker worker = AddGreetedWorker();
  Connect(&worker);
  LetLeasesEnd();
  EXPECT_EQ(worker.Ask(ConnectTo("9.9.9.9", 443)).result().outcome, Outcome::kDenied);
  Adopt({OnHost(Decision::kAllow, "www.example.com", "443")});
  EXPECT_EQ(Ended(), 0U);
}

TEST_F(SessionTrackNamesTest, ANameThatIsAllowedNoMoreIsCut) {
  TestWorker worker = AddGreetedWorker();
  Connect(&worker);
  LetLeasesEnd();
  Adopt({OnHost(Decision::kAllow, "other.example.com", "443")});
  EXPECT_EQ(Ended(), 1U);
}

TEST_F(SessionTrackNamesTest, ANameThatIsDeniedIsCut) {
  TestWorker worker = AddGreetedWorker();
  Connect(&worker);
  LetLeasesEnd();
  Adopt({OnHost(Decision::kAllow, "*.example.com", "443"),
         OnHost(Decision::kDeny, "www.example.com", "443")});
  EXPECT_EQ(Ended(), 1U);
}

TEST_F(SessionTrackNamesTest, AnotherNameThatLeadsThereNowAllowsItToo) {
  TestWorker worker = AddGreetedWorker();
  Connect(&worker);
  AskAndFind(&worker, "www.example.org", 1, {"9.9.9.9"});
  Adopt({OnHost(Decision::kAllow, "www.example.org", "443")});
  EXPECT_EQ(Ended(), 0U);
}

TEST_F(SessionTrackNamesTest, OrDeniesIt) {
  TestWorker worker = AddGreetedWorker();
  Connect(&worker);
  AskAndFind(&worker, "www.example.org", 1, {"9.9.9.9"});
  Adopt({OnHost(Decision::kAllow, "www.example.com", "443"),
         OnHost(Decision::kDeny, "www.example.org", "443")});
  EXPECT_EQ(Ended(), 1U);
}

}  // namespace
}  // namespace sockgate
