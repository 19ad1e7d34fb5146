// No decision allocates. The count is of this whole program, so nothing else runs meanwhile.

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "broker/policy/policy.h"
#include "tests/broker/policy/make_rules.h"

namespace {

size_t g_allocations = 0;

void* CountedAllocation(size_t size) {
  ++g_allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return CountedAllocation(size); }
void* operator new[](size_t size) { return CountedAllocation(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t /*size*/) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t /*size*/) noexcept { std::free(memory); }

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

TEST(NoAllocationTest, TheCounterCounts) {
  const size_t before = g_allocations;
  const auto memory = std::make_unique<int>(1);
  EXPECT_EQ(g_allocations, before + 1);
}

TEST(NoAllocationTest, NoDecisionAllocates) {
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
    const size_t before = g_allocations;
    for (const Endpoint& endpoint : endpoints) {
      for (const Transport transport : {Transport::kStream, Transport::kDatagram}) {
        policy.Decide(endpoint, transport);
        policy.Decide(endpoint, transport, names);
      }
      if (endpoint.is_ip()) policy.DecideAddress(endpoint.ip(), names);
    }
    policy.DecideName(long_name);
    policy.DecideName(denied);
    EXPECT_EQ(g_allocations, before);
  }
}

}  // namespace
}  // namespace sockgate::testing
