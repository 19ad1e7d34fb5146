// In steady state neither a lookup of what is known nor a connect allocates anything, on either side.
// Only what the broker's loop and the worker's thread allocate is counted.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <thread>

#include "broker/broker.h"
#include "broker/policy/host_pattern.h"
#include "client/broker_client.h"
#include "tests/broker/temp_folder.h"
#include "tests/support/allocation_count.h"
#include "tests/support/loopback_tcp.h"

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
      testing::CountAllocationsIn(&brokers_);
      broker_->Run();
    });
    auto client = BrokerClient::FromDescriptor(*broker_->AddWorker("test"));
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  void TearDown() override {
    testing::CountAllocationsIn(nullptr);
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
    testing::CountAllocationsIn(&workers_);
    for (size_t i = 0; i < times; ++i) {
      const ConnectResult result = client_->Connect(request);
      ASSERT_TRUE(result.error.ok());
      // No port waits for the end of its connection.
      const linger at_once = {1, 0};
      setsockopt(result.socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    testing::CountAllocationsIn(nullptr);
  }

  testing::AllocationCount brokers_{0};
  testing::AllocationCount workers_{0};

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
  EXPECT_GT(brokers_, 0U);  // the name was new: the counter counts
  LookUp(1000);             // the audit log's buffer finds its size
  const size_t before = brokers_;
  LookUp(1000);
  EXPECT_EQ(brokers_, before);
}

TEST_F(AllocationTest, NoneByEitherSideForAConnect) {
  for (const ConnectMode mode : {ConnectMode::kConnected, ConnectMode::kInProgress}) {
    Connect(mode, 1000);
    const size_t brokers = brokers_;
    const size_t workers = workers_;
    EXPECT_GT(workers, 0U);  // the first one minted a channel
    Connect(mode, 1000);
    EXPECT_EQ(brokers_, brokers);
    EXPECT_EQ(workers_, workers);
  }
}

}  // namespace
}  // namespace sockgate::bench
