// The resolver against dnsmasq, a name server that others wrote, on loopback with a zone of its
// own.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "proto/unique_fd.h"
#include "tests/broker/resolver/resolver_client.h"

namespace sockgate::testing {
namespace {

// Free for UDP and, a moment later, most likely still free.
uint16_t FreePort() {
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* const pointer = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(fd.get(), pointer, length), 0);
  EXPECT_EQ(getsockname(fd.get(), pointer, &length), 0);
  return ntohs(address.sin_port);
}

class Dnsmasq {
 public:
  explicit Dnsmasq(std::vector<std::string> zone) : port_(FreePort()) {
    std::vector<std::string> words = {"/usr/sbin/dnsmasq",
                                      "--no-daemon",
                                      "--conf-file=/dev/null",
                                      "--no-resolv",
                                      "--no-hosts",
                                      "--pid-file=",
                                      "--log-facility=-",
                                      "--bind-interfaces",
                                      "--listen-address=127.0.0.1",
                                      "--edns-packet-max=512",
                                      "--port=" + std::to_string(port_)};
    words.insert(words.end(), zone.begin(), zone.end());
    pid_ = fork();
    if (pid_ != 0) return;
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(1);
  }
  ~Dnsmasq() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Dnsmasq(const Dnsmasq&) = delete;
  Dnsmasq& operator=(const Dnsmasq&) = delete;

  uint16_t port() const { return port_; }

 private:
  uint16_t port_;
  pid_t pid_ = -1;
};

std::vector<std::string> Zone() {
  std::vector<std::string> zone = {
      "--local=/test/",
      "--address=/wild.test/192.0.2.7",
      "--host-record=both.test,192.0.2.1,2001:db8::1,77",
      "--host-record=target.test,192.0.2.5,33",
      "--cname=alias.test,target.test,11",
      "--cname=longer.test,alias.test",
      "--host-record=inner.corp.test,192.0.2.8",
      "--txt-record=text.test,hello",
  };
  for (int i = 1; i <= 60; ++i) {
    zone.push_back("--host-record=many.test,198.51.100." + std::to_string(i));
  }
  return zone;
}

// Whether the server finds this name; the first questions may come before it does.
bool Answers(ResolverClient& client, const std::string& name) {
  for (int i = 0; i < 50; ++i) {
    if (client.Resolve(name)->status == ResolverStatus::kFound) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

class ResolverDnsmasq : public ::testing::Test {
 protected:
  void Start(ResolverClient& client) {
    ASSERT_TRUE(client.AwaitResolver());
    ASSERT_TRUE(Answers(client, "both.test")) << "dnsmasq does not answer";
  }

  Dnsmasq dnsmasq_{Zone()};
  ResolverOptions options_ = OptionsFor(dnsmasq_.port());
};

TEST_F(ResolverDnsmasq, FindsBothFamiliesWithTheirTtl) {
  ResolverClient client(options_);
  Start(client);
  const auto answer = client.Resolve("both.test");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(AddressesOf(*answer), "192.0.2.1 2001:db8::1");
  EXPECT_EQ(answer->ttl_seconds, 77U);
  EXPECT_EQ(answer->canonical_name, "");
}

TEST_F(ResolverDnsmasq, FollowsAliases) {
  ResolverClient client(options_);
  Start(client);
  for (const char* name : {"alias.test", "longer.test"}) {
    const auto answer = client.Resolve(name);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(AddressesOf(*answer), "192.0.2.5") << name;
    EXPECT_EQ(answer->canonical_name, "target.test");
    EXPECT_LE(answer->ttl_seconds, 11U);
  }
}

TEST_F(ResolverDnsmasq, TellsNoNameFromNoAddress) {
  ResolverClient client(options_);
  Start(client);
  EXPECT_EQ(client.Resolve("nothing.test")->status, ResolverStatus::kNoName);
  EXPECT_EQ(client.Resolve("text.test")->status, ResolverStatus::kNoAddress);
  EXPECT_EQ(AddressesOf(*client.Resolve("anything.wild.test")), "192.0.2.7");
}

TEST_F(ResolverDnsmasq, WithoutAnSoaRecordNoHoldsForNoTime) {
  ResolverClient client(options_);
  Start(client);
  EXPECT_EQ(client.Resolve("nothing.test")->ttl_seconds, 0U);
  EXPECT_EQ(client.Resolve("text.test")->ttl_seconds, 0U);
}

// As an authoritative server dnsmasq gives the SOA record.
TEST(ResolverDnsmasqZone, NoHoldsAsLongAsTheZoneSays) {
  const Dnsmasq dnsmasq({"--auth-server=ns.zone.test,127.0.0.1", "--auth-zone=zone.test",
                         "--auth-ttl=77", "--host-record=both.zone.test,192.0.2.1,2001:db8::1",
                         "--txt-record=text.zone.test,hello"});
  ResolverClient client(OptionsFor(dnsmasq.port()));
  ASSERT_TRUE(client.AwaitResolver());
  ASSERT_TRUE(Answers(client, "both.zone.test"));
  const auto no_name = client.Resolve("nothing.zone.test");
  EXPECT_EQ(no_name->status, ResolverStatus::kNoName);
  EXPECT_EQ(no_name->ttl_seconds, 77U);
  const auto no_address = client.Resolve("text.zone.test");
  EXPECT_EQ(no_address->status, ResolverStatus::kNoAddress);
  EXPECT_EQ(no_address->ttl_seconds, 77U);
}

TEST_F(ResolverDnsmasq, AnAnswerTooLongForUdpComesByTcp) {
  ResolverClient client(options_);
  Start(client);
  const auto answer = client.Resolve("many.test");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, ResolverStatus::kFound);
  EXPECT_EQ(answer->v4_count, kMaxAddressesPerFamily);
}

TEST_F(ResolverDnsmasq, SearchesOnlyWhereThePolicySays) {
  {
    ResolverClient client(options_);
    Start(client);
    EXPECT_NE(client.Resolve("inner")->status, ResolverStatus::kFound);
  }
  options_.search = {"nowhere.test", "corp.test"};
  ResolverClient client(options_);
  Start(client);
  EXPECT_EQ(AddressesOf(*client.Resolve("inner")), "192.0.2.8");
}

TEST_F(ResolverDnsmasq, PassesOverADeadServer) {
  options_.servers.insert(options_.servers.begin(),
                          Endpoint::Ip(IpAddress::V4({127, 0, 0, 1}), FreePort()));
  ResolverClient client(options_);
  Start(client);
  EXPECT_EQ(AddressesOf(*client.Resolve("both.test")), "192.0.2.1 2001:db8::1");
}

TEST_F(ResolverDnsmasq, AThousandNamesAtOnce) {
  options_.timeout_ms = 2000;
  ResolverClient client(options_);
  Start(client);
  constexpr uint32_t kNames = 1000;
  for (uint32_t i = 1; i <= kNames; ++i) client.Ask(i, "n" + std::to_string(i) + ".wild.test");
  std::set<uint32_t> found;
  for (uint32_t i = 0; i < kNames; ++i) {
    const auto answer = client.AwaitAnswer();
    ASSERT_TRUE(answer.has_value());
    if (AddressesOf(*answer) == "192.0.2.7") found.insert(answer->id);
  }
  EXPECT_EQ(found.size(), kNames);
}

TEST_F(ResolverDnsmasq, AResolverKilledInMidQueryIsReplacedAndTheNextLookupWorks) {
  ResolverClient client(options_);
  Start(client);
  client.Ask(1, "both.test");
  ASSERT_EQ(kill(client.resolver_pid(), SIGKILL), 0);
  while (client.Serve(std::chrono::milliseconds(10))) {
  }
  ASSERT_TRUE(client.AwaitResolver());
  EXPECT_EQ(AddressesOf(*client.Resolve("both.test")), "192.0.2.1 2001:db8::1");
}

TEST_F(ResolverDnsmasq, TheRunningResolverIsConfined) {
  ResolverClient client(options_);
  Start(client);
  std::ifstream file("/proc/" + std::to_string(client.resolver_pid()) + "/status");
  const std::string status((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
  for (const char* line : {"Seccomp:\t2", "NoNewPrivs:\t1", "CapEff:\t0000000000000000"}) {
    EXPECT_NE(status.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace sockgate::testing
