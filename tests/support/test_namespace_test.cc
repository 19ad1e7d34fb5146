// The test network keeps its promises, measured.

#include "tests/support/test_namespace.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/support/curl_fetch.h"
#include "tests/support/http_routes.h"
#include "tests/support/http_server.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/tcp_socket.h"

namespace sockgate::testing {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{2000};

TEST(TestNamespaceTest, TheBlackHoleSwallowsEverySynInSilence) {
  std::vector<std::thread> threads;
  for (const char* address : {kBlackHoleV4, kBlackHoleV6}) {
    for (const uint16_t port : {uint16_t{80}, uint16_t{443}, uint16_t{65535}}) {
      threads.emplace_back([address, port] {
        const ConnectResult result = TryConnect(address, port, milliseconds(4000));
        EXPECT_EQ(result.error, EINPROGRESS) << address << " " << port;
        EXPECT_GE(result.took, milliseconds(4000)) << address << " " << port;
      });
    }
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(TestNamespaceTest, TheUnreachableIsUnreachableAtOnce) {
  for (const char* address : {kUnreachableV4, kUnreachableV6}) {
    const ConnectResult result = TryConnect(address, 80, kPatience);
    EXPECT_EQ(result.error, EHOSTUNREACH) << address;
    EXPECT_LT(result.took, milliseconds(200)) << address;
  }
}

TEST(TestNamespaceTest, NoRouteLeadsElsewhere) {
  for (const char* address : {kNoRouteV4, kNoRouteV6, "8.8.8.8", "2606:4700::1111"}) {
    const ConnectResult result = TryConnect(address, 80, kPatience);
    EXPECT_EQ(result.error, ENETUNREACH) << address;
    EXPECT_LT(result.took, milliseconds(200)) << address;
  }
}

TEST(TestNamespaceTest, LoopbackWorksAsEver) {
  for (const char* address : {"127.0.0.1", "127.0.0.2", "::1"}) {
    LoopbackServer::Options options;
    options.address = address;
    const bool bindable = LoopbackServer::Start(options).ok();
    EXPECT_TRUE(bindable) << address;
  }
  const auto refusing = RefusingPort::Reserve();
  ASSERT_TRUE(refusing.ok());
  EXPECT_EQ(TryConnect("127.0.0.1", refusing->port(), kPatience).error, ECONNREFUSED);
}

TEST(TestNamespaceTest, AServerCanStandAtAnyAddress) {
  for (const char* address : {"10.1.2.3", "93.184.216.34", "fd00::7", "2606:4700::7"}) {
    ASSERT_TRUE(AddLocalAddress(address).ok()) << address;
    LoopbackServer::Options options;
    options.address = address;
    const auto server = LoopbackServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    EXPECT_EQ(Fetch((*server)->Url("/")).body, kHelloBody) << address;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(AddLocalAddress("10.0.0.1/8")));
  EXPECT_TRUE(absl::IsUnavailable(AddLocalAddress("10.1.2.3"))) << "it is there already";
}

TEST(TestNamespaceTest, LibcurlGivesUpOnTheBlackHoleWhenTold) {
  const CurlHandle curl = NewCurl("http://" + JoinHostPort(kBlackHoleV4, 80));
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT_MS, 700L);
  const Fetched fetched = Perform(curl.get());
  EXPECT_EQ(fetched.code, CURLE_OPERATION_TIMEDOUT);
  EXPECT_GE(fetched.took, milliseconds(690));
  EXPECT_LT(fetched.took, milliseconds(1500));
}

TEST(TestNamespaceTest, AForkedChildMayHaveANetworkOfItsOwn) {
  const auto here = SilentListener::Listen();
  ASSERT_TRUE(here.ok());
  const pid_t child = fork();
  if (child == 0) {
    const bool entered = EnterTestNetwork().ok();
    const bool elsewhere = TryConnect("127.0.0.1", here->port(), kPatience).error == ECONNREFUSED;
    const bool hole = TryConnect(kBlackHoleV4, 80, milliseconds(300)).error == EINPROGRESS;
    _exit(entered && elsewhere && hole ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(TestNamespaceTest, AProcessWithThreadsIsTurnedAway) {
  const auto server = LoopbackServer::Start({});
  ASSERT_TRUE(server.ok());
  const absl::Status refused = EnterTestNetwork();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_EQ(Fetch((*server)->Url("/")).body, kHelloBody);
}

}  // namespace
}  // namespace sockgate::testing
