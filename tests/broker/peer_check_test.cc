#include "broker/peer_check.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "proto/packet_socket.h"

namespace sockgate {
namespace {

constexpr uid_t kStranger = 40'001;
constexpr gid_t kOther = 40'002;

class PeerCheckTest : public ::testing::Test {
 protected:
  PeerCheckTest() : pair_(*MakeChannelPair()), identity_(IdentityOf(pair_.broker.get())) {}

  bool Admitted(std::vector<uid_t> uids, std::vector<gid_t> gids) {
    return Admits({std::move(uids), std::move(gids)}, identity_);
  }

  ChannelPair pair_;
  PeerIdentity identity_;
};

TEST_F(PeerCheckTest, KnowsWhoMadeTheOtherEnd) {
  EXPECT_EQ(identity_.pid, getpid());
  EXPECT_EQ(identity_.uid, geteuid());
  EXPECT_EQ(identity_.gid, getegid());
}

TEST_F(PeerCheckTest, EitherAUserOrAGroupWillDo) {
  const uid_t me = geteuid();
  const gid_t mine = getegid();
  EXPECT_TRUE(Admitted({}, {})) << "nobody is named, so anyone may";
  EXPECT_TRUE(Admitted({kStranger, me}, {}));
  EXPECT_TRUE(Admitted({me}, {kOther}));
  EXPECT_TRUE(Admitted({}, {kOther, mine}));
  EXPECT_TRUE(Admitted({kStranger}, {mine}));
  EXPECT_FALSE(Admitted({kStranger}, {}));
  EXPECT_FALSE(Admitted({}, {kOther}));
  EXPECT_FALSE(Admitted({kStranger}, {kOther}));
}

// Groups belong to a thread, as far as the kernel is concerned.
TEST_F(PeerCheckTest, AnyGroupOfMany) {
  bool changed = false;
  std::thread member([&] {
    std::vector<gid_t> groups;
    for (gid_t group = 50'000; group < 50'500; ++group) groups.push_back(group);
    groups.push_back(kOther);
    changed = syscall(SYS_setgroups, groups.size(), groups.data()) == 0;
    pair_ = *MakeChannelPair();
    identity_ = IdentityOf(pair_.broker.get());
  });
  member.join();
  if (!changed) GTEST_SKIP() << "needs CAP_SETGID";
  EXPECT_TRUE(Admitted({}, {kOther}));
  EXPECT_TRUE(Admitted({kStranger}, {50'250}));
  EXPECT_FALSE(Admitted({}, {50'500}));
}

TEST_F(PeerCheckTest, SomebodyUnknownIsAdmittedOnlyWhereAnyoneIs) {
  const UniqueFd none(dup(STDERR_FILENO));
  const PeerIdentity unknown = IdentityOf(none.get());
  EXPECT_EQ(unknown.pid, 0);
  EXPECT_FALSE(Admits({{0}, {0}}, unknown));
}

}  // namespace
}  // namespace sockgate
