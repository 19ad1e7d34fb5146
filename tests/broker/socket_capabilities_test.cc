#include "broker/socket_capabilities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>

#include <cerrno>
#include <functional>
#include <vector>

#include "broker/net.h"
#include "proto/endpoint.h"
#include "proto/ip_address.h"
#include "tests/client/launch/forked.h"

namespace sockgate {
namespace {

using confine::CapabilityBit;
using confine::CapabilitySet;

constexpr CapabilitySet kNone = 0;
constexpr CapabilitySet kRaw = CapabilityBit(CAP_NET_RAW);
constexpr CapabilitySet kAdmin = CapabilityBit(CAP_NET_ADMIN);

const KernelGrants kNew = {true, {"reno"}};
const KernelGrants kOld = {false, {"reno"}};

SocketOptions With(const std::function<void(SocketOptions*)>& set) {
  SocketOptions options;
  set(&options);
  return options;
}

struct Case {
  const char* what;
  SocketOptions options;
  CapabilitySet now;
  CapabilitySet before_5_17;
};

std::vector<Case> Cases() {
  return {
      {"nothing", {}, kNone, kNone},
      {"source", With([](auto* o) {
         o->source_v4 = IpAddress::V4({127, 0, 0, 1});
       }),
       kNone, kNone},
      {"source v6", With([](auto* o) { o->source_v6 = *IpAddress::Parse("::1"); }), kNone, kNone},
      {"interface", With([](auto* o) { o->interface = "lo"; }), kNone, kNone},
      {"mark", With([](auto* o) { o->mark = 7; }), kRaw, kAdmin},
      {"mark 0", With([](auto* o) { o->mark = 0; }), kRaw, kAdmin},
      {"tos", With([](auto* o) { o->tos = 255; }), kNone, kNone},
      {"keepalive", With([](auto* o) { o->keepalive = Keepalive(); }), kNone, kNone},
      {"user timeout", With([](auto* o) { o->user_timeout_ms = 1; }), kNone, kNone},
      {"a free algorithm", With([](auto* o) { o->congestion_control = "reno"; }), kNone, kNone},
      {"another one", With([](auto* o) { o->congestion_control = "x"; }), kAdmin, kAdmin},
      {"both", With([](auto* o) {
         o->congestion_control = "x";
         o->mark = 7;
       }),
       kAdmin, kAdmin},
  };
}

// The errno of a fresh socket with these options, made by somebody who holds no more than that.
int Try(const SocketOptions& options, CapabilitySet held) {
  const launch::ExitStatus status = launch::RunForked([&] {
    if (confine::KeepOnlyCapabilities(held) != 0) return 200;
    UniqueFd socket;
    return KernelNet().Open(Endpoint::Ip(IpAddress::V4({127, 0, 0, 1}), 1), Transport::kStream,
                            options, &socket);
  });
  return status.code_or_signal;
}

TEST(SocketCapabilities, TheLeastThatEachOptionNeeds) {
  for (const Case& one : Cases()) {
    EXPECT_EQ(CapabilitiesFor(one.options, kNew), one.now) << one.what;
    EXPECT_EQ(CapabilitiesFor(one.options, kOld), one.before_5_17) << one.what;
  }
}

TEST(SocketCapabilities, OneCapabilityIsEnoughForAllRoles) {
  EXPECT_EQ(WorthHolding(kRaw | kAdmin, kRaw | kAdmin), kAdmin);
  EXPECT_EQ(WorthHolding(kRaw, kRaw | kAdmin), kRaw);
  EXPECT_EQ(WorthHolding(kRaw, kAdmin), kAdmin) << "who has nothing else";
  EXPECT_EQ(WorthHolding(kRaw, kNone), kRaw) << "and it will be missing";
  EXPECT_EQ(WorthHolding(kNone, kRaw | kAdmin), kNone);
}

TEST(SocketCapabilities, WhoMayDoMoreLacksNothing) {
  EXPECT_EQ(Missing(kRaw, kAdmin), kNone);
  EXPECT_EQ(Missing(kAdmin, kRaw), kAdmin);
  EXPECT_EQ(Missing(kRaw, kNone), kRaw);
  EXPECT_EQ(Missing(kNone, kNone), kNone);
}

// The table against this kernel: what is said to suffice does, and less does not.
TEST(SocketCapabilities, TheKernelAgrees) {
  if ((confine::PermittedCapabilities() & kAdmin) == 0) GTEST_SKIP() << "needs CAP_NET_ADMIN";
  const KernelGrants kernel = AskKernel();
  for (const Case& one : Cases()) {
    const CapabilitySet needed = CapabilitiesFor(one.options, kernel);
    EXPECT_NE(Try(one.options, needed), EPERM) << one.what;
    // An algorithm that does not exist is looked for first.
    if (needed == kRaw) {
      EXPECT_EQ(Try(one.options, kNone), EPERM) << one.what;
    }
  }
}

TEST(SocketCapabilities, TheHostSaysWhichAlgorithmsAreFree) {
  EXPECT_THAT(FreeCongestionControls(), ::testing::Contains("reno"));
}

TEST(SocketCapabilities, AskingChangesNothing) {
  const CapabilitySet before = confine::EffectiveCapabilities();
  AskKernel();
  EXPECT_EQ(confine::EffectiveCapabilities(), before);
}

}  // namespace
}  // namespace sockgate
