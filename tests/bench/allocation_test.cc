// In steady state neither a lookup of what is known nor a connect allocates anything, on either side.
// Only what the broker's loop and the worker's thread allocate is counted.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
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
#include "tests/support/loopback_tcp.h"

namespace {

struct Allocations {
  std::atomic<size_t> count{0};
};
Allocations g_brokers;
Allocations g_workers;
thread_local Allocations* t_allocations = nullptr;

void* CountedAllocation(size_t size) {
  if (t_allocations != nullptr) ++t_allocations->count;
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

class AllocationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(hosts_) << "127.0.0.1 " << kName << "\n::1 " << kName << "\n";
    auto broker = Broker::Create(Options());
    ASSERT_TRUE(broker.ok()) << broker.status();
    broker_ = *std::move(broker);
    thread_ = std::thread([this] {
      t_allocations = &g_brokers;
      broker_->Run();
    });
    auto client = BrokerClient::FromDescriptor(*broker_->AddWorker("test"));
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  void TearDown() override {
    t_allocations = nullptr;
    if (broker_ != nullptr) broker_->Stop();
    if (thread_.joinable()) thread_.join();
  }

  void LookUp(size_t times) {
    for (size_t i = 0; i < times; ++i) {
      ASSERT_EQ(client_->Resolve(kName, NameFamily::kAny).addresses.size(), 2U);
    }
  }

  void Connect(ConnectMode mode, size_t times) {
    ConnectRequest request;
    request.endpoint = Endpoint::Ip(*IpAddress::Parse("127.0.0.1"), listener_->port());
    request.deadline_ms = 5000;
    request.mode = mode;
    t_allocations = &g_workers;
    for (size_t i = 0; i < times; ++i) {
      const ConnectResult result = client_->Connect(request);
      ASSERT_TRUE(result.error.ok());
      // No port waits for the end of its connection.
      const linger at_once = {1, 0};
      setsockopt(result.socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    t_allocations = nullptr;
  }

 private:
  BrokerOptions Options() const {
    Rule allow = {Decision::kAllow, HostPattern::Parse(kName).value(), *PortSet::Parse("*")};
    allow.private_addresses = true;
    Role role;
    role.name = "test";
    role.policy = Policy({allow, *Rule::Parse(Decision::kAllow, "127.0.0.1:*")});
    BrokerOptions options;
    options.roles.push_back(std::move(role));
    options.audit.Reset(open("/dev/null", O_WRONLY | O_CLOEXEC));
    options.resolver.emplace();
    options.resolver->resolv_conf = "";
    options.resolver->hosts_file = hosts_;
    options.resolver->servers = {Endpoint::Ip(*IpAddress::Parse("127.0.0.1"), 1)};
    return options;
  }

  const absl::StatusOr<testing::SilentListener> listener_ = testing::SilentListener::Listen();
  const testing::TempFolder folder_;
  const std::string hosts_ = folder_ / "hosts";
  std::unique_ptr<Broker> broker_;
  std::thread thread_;
  std::unique_ptr<BrokerClient> client_;
};

TEST_F(AllocationTest, NoneByTheBrokerForAKnownName) {
  LookUp(1);
  EXPECT_GT(g_brokers.count, 0U);  // the name was new: the counter counts
  LookUp(1000);                    // the audit log's buffer finds its size
  const size_t before = g_brokers.count;
  LookUp(1000);
  EXPECT_EQ(g_brokers.count, before);
}

TEST_F(AllocationTest, NoneByEitherSideForAConnect) {
  for (const ConnectMode mode : {ConnectMode::kConnected, ConnectMode::kInProgress}) {
    Connect(mode, 1000);
    const size_t brokers = g_brokers.count;
    const size_t workers = g_workers.count;
    EXPECT_GT(workers, 0U);  // the first one minted a channel
    Connect(mode, 1000);
    EXPECT_EQ(g_brokers.count, brokers);
    EXPECT_EQ(g_workers.count, workers);
  }
}

}  // namespace
}  // namespace sockgate::bench
