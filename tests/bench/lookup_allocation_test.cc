// A name that the broker knows already makes its loop allocate nothing. Only what the loop's thread
// allocates is counted.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <new>
#include <thread>

#include "broker/broker.h"
#include "broker/policy/host_pattern.h"
#include "client/broker_client.h"
#include "tests/broker/temp_folder.h"

namespace {

thread_local bool t_counted = false;
std::atomic<size_t> g_allocations = 0;

void* CountedAllocation(size_t size) {
  if (t_counted) ++g_allocations;
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

namespace sockgate::bench {
namespace {

constexpr char kName[] = "known.example";

class LookupAllocationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(hosts_) << "127.0.0.1 " << kName << "\n::1 " << kName << "\n";
    auto broker = Broker::Create(Options());
    ASSERT_TRUE(broker.ok()) << broker.status();
    broker_ = *std::move(broker);
    thread_ = std::thread([this] {
      t_counted = true;
      broker_->Run();
    });
    auto client = BrokerClient::FromDescriptor(*broker_->AddWorker("test"));
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  void TearDown() override {
    if (broker_ != nullptr) broker_->Stop();
    if (thread_.joinable()) thread_.join();
  }

  void LookUp(size_t times) {
    for (size_t i = 0; i < times; ++i) {
      ASSERT_EQ(client_->Resolve(kName, NameFamily::kAny).addresses.size(), 2U);
    }
  }

 private:
  BrokerOptions Options() const {
    Rule allow = {Decision::kAllow, HostPattern::Parse(kName).value(), *PortSet::Parse("*")};
    allow.private_addresses = true;
    Role role;
    role.name = "test";
    role.policy = Policy({allow});
    BrokerOptions options;
    options.roles.push_back(std::move(role));
    options.audit.Reset(open("/dev/null", O_WRONLY | O_CLOEXEC));
    options.resolver.emplace();
    options.resolver->resolv_conf = "";
    options.resolver->hosts_file = hosts_;
    options.resolver->servers = {Endpoint::Ip(*IpAddress::Parse("127.0.0.1"), 1)};
    return options;
  }

  const testing::TempFolder folder_;
  const std::string hosts_ = folder_ / "hosts";
  std::unique_ptr<Broker> broker_;
  std::thread thread_;
  std::unique_ptr<BrokerClient> client_;
};

TEST_F(LookupAllocationTest, AKnownNameAllocatesNothing) {
  LookUp(1);
  EXPECT_GT(g_allocations, 0U);  // the name was new: the counter counts
  LookUp(1000);                  // the audit log's buffer finds its size
  const size_t before = g_allocations;
  LookUp(1000);
  EXPECT_EQ(g_allocations, before);
}

}  // namespace
}  // namespace sockgate::bench
