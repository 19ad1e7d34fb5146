// What a name that the broker knows already costs: one local round trip and no thread. Counted, not
// timed, so it holds on a busy machine too.

#include <curl/curl.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/syscall.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "broker/broker_process.h"
#include "broker/policy/host_pattern.h"
#include "client/broker_client.h"
#include "client/curl_adapter.h"
#include "client/name_shim.h"
#include "tests/bench/system_call_count.h"
#include "tests/broker/temp_folder.h"

namespace sockgate::bench {
namespace {

constexpr size_t kLookups = 100;
constexpr char kName[] = "known.example";
constexpr std::chrono::seconds kPatience(60);

// The count begins and ends amid a turn of the broker's loop.
constexpr size_t kEdge = 3;

size_t CallsOf(const SystemCallCounts::ByNumber& calls, int number) {
  const auto found = calls.find(number);
  return found == calls.end() ? 0 : found->second;
}

size_t Threads(const SystemCallCounts::ByNumber& calls) {
  return CallsOf(calls, SYS_clone) + CallsOf(calls, SYS_clone3);
}

class LookupCostTest : public ::testing::Test {
 protected:
  LookupCostTest() { std::ofstream(hosts_) << "127.0.0.1 " << kName << "\n"; }

  // Runs in the child, with a client of a new broker that has been asked for the name once.
  using Use = std::function<int(CountedRun*, BrokerClient*)>;

  // Counts what `use` does. Fails, or skips, unless it returned 0.
  void Count(const Use& use) {
    const auto run = [&](CountedRun* counted) { return WithBroker(counted, use); };
    auto counts = CountSystemCalls(run, kPatience);
    if (absl::IsUnavailable(counts.status())) GTEST_SKIP() << counts.status();
    ASSERT_TRUE(counts.ok()) << counts.status();
    ASSERT_EQ(counts->exit_code, 0);
    counts_ = *std::move(counts);
  }

  SystemCallCounts counts_;

 private:
  int WithBroker(CountedRun* counted, const Use& use) const {
    auto broker = BrokerProcess::Start(Options());
    if (!broker.ok()) return 10;
    counted->helper = broker->pid();
    auto channel = broker->AddWorker("test");
    if (!channel.ok()) return 11;
    auto client = BrokerClient::FromDescriptor(*std::move(channel));
    if (!client.ok() || !(*client)->Resolve(kName, NameFamily::kAny).error.ok()) return 12;
    return use(counted, client->get());
  }

  BrokerOptions Options() const {
    Rule allow = {Decision::kAllow, HostPattern::Parse(kName).value(), *PortSet::Parse("*")};
    allow.private_addresses = true;
    Role role;
    role.name = "test";
    role.policy = Policy({allow});
    BrokerOptions options;
    options.roles.push_back(std::move(role));
    options.resolver.emplace();
    options.resolver->resolv_conf = "";
    options.resolver->hosts_file = hosts_;
    options.resolver->servers = {Endpoint::Ip(*IpAddress::Parse("127.0.0.1"), 1)};
    return options;
  }

  const testing::TempFolder folder_;
  const std::string hosts_ = folder_ / "hosts";
};

int LookUpOften(CountedRun* counted, const std::function<bool()>& look_up) {
  size_t found = 0;
  counted->counting = true;
  for (size_t i = 0; i < kLookups; ++i) found += look_up() ? 1 : 0;
  counted->counting = false;
  return found == kLookups ? 0 : 1;
}

void ExpectOneRoundTripEach(const SystemCallCounts& counts) {
  EXPECT_EQ(CallsOf(counts.child, SYS_sendto), kLookups);
  EXPECT_EQ(CallsOf(counts.child, SYS_recvmsg), kLookups);
  EXPECT_EQ(SystemCallCounts::Sum(counts.child), 2 * kLookups);

  EXPECT_NEAR(CallsOf(counts.helper, SYS_epoll_wait), kLookups, 1);
  EXPECT_NEAR(CallsOf(counts.helper, SYS_recvmsg), kLookups, 1);
  EXPECT_NEAR(CallsOf(counts.helper, SYS_sendto), kLookups, 1);
  EXPECT_LE(SystemCallCounts::Sum(counts.helper), 3 * kLookups + kEdge);
}

TEST_F(LookupCostTest, AKnownNameCostsOneRoundTrip) {
  Count([](CountedRun* counted, BrokerClient* client) {
    return LookUpOften(counted, [client] {
      return client->Resolve(kName, NameFamily::kAny).addresses.size() == 1;
    });
  });
  if (!IsSkipped()) ExpectOneRoundTripEach(counts_);
}

TEST_F(LookupCostTest, AndNoMoreByTheShim) {
  Count([](CountedRun* counted, BrokerClient* client) {
    if (!ArmNameShim(client).ok()) return 2;
    const int code = LookUpOften(counted, [] {
      addrinfo* list = nullptr;
      if (getaddrinfo(kName, "443", nullptr, &list) != 0) return false;
      freeaddrinfo(list);
      return true;
    });
    DisarmNameShim();
    return code;
  });
  if (!IsSkipped()) ExpectOneRoundTripEach(counts_);
}

// What libcurl does to reach a host by its name. Nobody listens at the port, so it ends there.
int Fetch(CountedRun* counted, BrokerClient* client, bool ahead) {
  const std::string url = absl::StrCat("http://", kName, ":1/");
  CurlAdapter adapter(client, {});
  CURL* easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  if (!adapter.Attach(easy).ok()) return 2;
  counted->counting = true;
  if (ahead && !adapter.ResolveAhead(easy, url).error.ok()) return 3;
  const CURLcode code = curl_easy_perform(easy);
  counted->counting = false;
  const int refused = adapter.LastError(easy).error_number;
  adapter.Detach(easy);
  curl_easy_cleanup(easy);
  return code == CURLE_COULDNT_CONNECT && refused == ECONNREFUSED ? 0 : 4;
}

int FetchArmed(CountedRun* counted, BrokerClient* client, bool ahead) {
  if (!ArmNameShim(client).ok()) return 1;
  const int code = Fetch(counted, client, ahead);
  DisarmNameShim();
  return code;
}

TEST_F(LookupCostTest, WhatIsResolvedAheadStartsNoThread) {
  Count([](CountedRun* counted, BrokerClient* client) {
    return FetchArmed(counted, client, /*ahead=*/true);
  });
  if (IsSkipped()) return;
  EXPECT_EQ(Threads(counts_.child), 0U);
  // The name and the connection.
  EXPECT_EQ(CallsOf(counts_.helper, SYS_socket), 1U);
}

TEST_F(LookupCostTest, WhatIsNotStartsOne) {
  Count([](CountedRun* counted, BrokerClient* client) {
    return FetchArmed(counted, client, /*ahead=*/false);
  });
  if (IsSkipped()) return;
  EXPECT_EQ(Threads(counts_.child), 1U);
}

}  // namespace
}  // namespace sockgate::bench
