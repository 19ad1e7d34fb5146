#include "broker/cage_bounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>

#include <filesystem>

#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

using ::testing::HasSubstr;

class CageBoundsTest : public ::testing::Test {
 protected:
  CageBoundsTest() {
    std::filesystem::create_directories(folder_ / "here");
    std::filesystem::create_directories(folder_ / "there");
    bounds_.has_landlock = true;
    bounds_.listen_folders = {std::filesystem::canonical(folder_ / "here")};
    bounds_.resolver_folders = bounds_.listen_folders;
  }

  absl::Status Check(const SocketOptions& options, const std::string& listen = "here/x",
                     const std::string& hosts = "here/hosts") const {
    Role role;
    role.name = "fetch";
    role.socket_options = options;
    ResolverOptions resolver;
    resolver.hosts_file = folder_ / hosts;
    return bounds_.Check(*RoleTable::Make({role}), {{folder_ / listen, "fetch"}}, resolver);
  }

  const testing::TempFolder folder_;
  CageBounds bounds_;
};

TEST_F(CageBoundsTest, WhatNeedsNothingIsWithin) { EXPECT_TRUE(Check({}).ok()); }

TEST_F(CageBoundsTest, AMarkNeedsItsCapability) {
  SocketOptions options;
  options.mark = 1;
  const absl::Status status = Check(options);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              ::testing::AllOf(HasSubstr("role fetch"), HasSubstr("CAP_NET_RAW"),
                               HasSubstr("restart the broker")));
  bounds_.capabilities = confine::CapabilityBit(CAP_NET_RAW);
  EXPECT_TRUE(Check(options).ok());
  bounds_.capabilities = confine::CapabilityBit(CAP_NET_ADMIN);
  EXPECT_TRUE(Check(options).ok());
}

TEST_F(CageBoundsTest, ASourceNeedsBind) {
  SocketOptions options;
  options.source_v4 = IpAddress::V4({127, 0, 0, 1});
  EXPECT_THAT(std::string(Check(options).message()), HasSubstr("source address"));
  bounds_.binds_sources = true;
  EXPECT_TRUE(Check(options).ok());
}

TEST_F(CageBoundsTest, APathElsewhere) {
  const absl::Status status = Check({}, "there/x");
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder_ / "there/x"));
  EXPECT_THAT(std::string(status.message()), HasSubstr(bounds_.listen_folders[0]));
}

TEST_F(CageBoundsTest, AHostsFileElsewhere) {
  EXPECT_THAT(std::string(Check({}, "here/x", "there/hosts").message()),
              HasSubstr(folder_ / "there/hosts"));
}

TEST_F(CageBoundsTest, WithoutLandlockPlacesAreFree) {
  bounds_.has_landlock = false;
  SocketOptions options;
  options.source_v4 = IpAddress::V4({127, 0, 0, 1});
  EXPECT_TRUE(Check(options, "there/x", "there/hosts").ok());
  options.mark = 1;
  EXPECT_FALSE(Check(options).ok()) << "capabilities are another layer";
}

TEST_F(CageBoundsTest, WhatTheKernelRefusesMayBeTheCages) {
  EXPECT_THAT(
      std::string(CageBounds::Explain(absl::PermissionDeniedError("cannot listen")).message()),
      HasSubstr("cannot listen: perhaps the broker's cage"));
  EXPECT_EQ(CageBounds::Explain(absl::NotFoundError("none")), absl::NotFoundError("none"));
}

}  // namespace
}  // namespace sockgate
