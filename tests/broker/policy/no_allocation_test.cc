// No decision allocates.

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "broker/policy/policy.h"
#include "tests/broker/policy/make_rules.h"
#include "tests/support/allocation_count.h"

namespace sockgate::testing {
namespace {

constexpr auto kAllow = Decision::kAllow;
constexpr auto kDeny = Decision::kDeny;

Policy TestPolicy(PolicyMode mode) {
  return Policy({OnCidr(kAllow, "10.0.0.0/8", "80,443"), OnCidr(kAllow, "64:ff9b::/96"),
                 OnHost(kAllow, "*.example.com", "443"), OnHost(kDeny, "bad.example.com"),
                 OnUnix(kAllow, "/run/a/long/path/that/does/not/fit/into/a/small/string"),
                 OnPublic(kAllow, "1-1024"), OnCidr(kDeny, "9.9.9.0/24", "25")},
                mode, {{Cidr::Parse("9.9.9.9").value()}, {"/run/gate"}});
}

class NoAllocationTest : public ::testing::Test {
 protected:
  NoAllocationTest() { CountAllocationsIn(&count_); }
  ~NoAllocationTest() override { CountAllocationsIn(nullptr); }

  AllocationCount count_{0};
};

TEST_F(NoAllocationTest, TheCounterCounts) {
  const size_t before = count_;
  const auto memory = std::make_unique<int>(1);
  EXPECT_EQ(count_, before + 1);
}

TEST_F(NoAllocationTest, NoDecisionAllocates) {
  const HostName long_name = Name("a.very.long.name.that.is.below.www.example.com");
  const HostName denied = Name("bad.example.com");
  const HostName* const names[] = {&long_name, &denied};
  std::vector<Endpoint> endpoints = {
      At("10.0.0.1", 443),
      At("10.0.0.1", 1),
      At("9.9.9.8", 25),
      At("9.9.9.9", 443),
      At("0.0.0.0", 443),
      At("64:ff9b::10.0.0.1", 80),
      At("::1", 443),
      At("64:ff9b::1.1.1.1", 80),
      At("2620:fe::fe", 443),
      *Endpoint::Unix("/run/a/long/path/that/does/not/fit/into/a/small/string"),
      *Endpoint::Unix("/run/gate"),
      *Endpoint::Unix("/not/../spelled/out")};
  for (const PolicyMode mode : {PolicyMode::kEnforce, PolicyMode::kReport}) {
    const Policy policy = TestPolicy(mode);
    const size_t before = count_;
    for (const Endpoint& endpoint : endpoints) {
      for (const Transport transport : {Transport::kStream, Transport::kDatagram}) {
        policy.Decide(endpoint, transport);
        policy.Decide(endpoint, transport, names);
      }
      if (endpoint.is_ip()) policy.DecideAddress(endpoint.ip(), names);
    }
    policy.DecideName(long_name);
    policy.DecideName(denied);
    EXPECT_EQ(count_, before);
  }
}

}  // namespace
}  // namespace sockgate::testing
