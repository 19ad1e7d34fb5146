// A thousand names at once in one multi handle, under the limits that a role has when its policy
// says nothing of them.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/names/audit_file.h"
#include "tests/integration/names/dnsmasq.h"
#include "tests/integration/names/names_broker.h"
#include "tests/integration/names/names_worker.h"
#include "tests/integration/names/places.h"
#include "tests/integration/server_process.h"
#include "tests/support/process_stats.h"

namespace sockgate::testing {
namespace {

constexpr int kNames = 1000;

// libcurl has a socket for each transfer and, until its name is resolved, a pair of them for the
// thread that does it.
constexpr rlim_t kDescriptors = 4 * kNames;

bool RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  limit.rlim_cur = limit.rlim_max;
  return limit.rlim_max >= kDescriptors && setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

std::vector<std::string> Urls(const std::string& begin, uint16_t port) {
  std::vector<std::string> urls;
  for (int i = 0; i < kNames; ++i) {
    urls.push_back(absl::StrCat("http://", begin, i, ".test:", port, "/status/204"));
  }
  return urls;
}

// "1000 x code 0 status 204 body ; No error", and whatever else there was.
std::string Count(const std::vector<Ended>& all) {
  std::map<std::string, int> counts;
  for (const Ended& ended : all) {
    ++counts[absl::StrCat(ended.ToString(), "; ",
                          ended.code == CURLE_OK ? ended.explanation : ended.error.ToString())];
  }
  std::string text;
  for (const auto& [what, count] : counts) absl::StrAppend(&text, count, " x ", what, "\n");
  return text;
}

constexpr char kRule[] = "allow = [{ host = '*.test', ports = '*' }]\n";
constexpr char kAllWell[] = "1000 x code 0 status 204 body ; No error\n";

class ManyNamesTest : public ::testing::TestWithParam<ConnectMode> {
 protected:
  static void SetUpTestSuite() { raised_ = RaiseDescriptorLimit(); }
  void SetUp() override {
    if (!raised_) GTEST_SKIP() << "the hard limit of descriptors is too low";
  }

  std::string FetchAll(BrokerClient& client, const std::string& begin) {
    CurlAdapterOptions options;
    options.mode = GetParam();
    CurlAdapter adapter(&client, options);
    return Count(PerformTogether(adapter, Urls(begin, server_.port())));
  }

  static bool raised_;
  const Dnsmasq dns_{{"--address=/test/8.8.8.1"}};
  ServerProcess server_{ServerAt(PublicAddress(1))};
  AuditFile audit_;
};

bool ManyNamesTest::raised_ = false;

INSTANTIATE_TEST_SUITE_P(Modes, ManyNamesTest, BothModes(), ModeName);

// Channels that the second thousand may need and the first did not. ThreadSanitizer's pace varies.
#ifdef __SANITIZE_THREAD__
constexpr size_t kMoreChannels = 32;
#else
constexpr size_t kMoreChannels = 0;
#endif

// Once the handshakes are done and what libcurl closed is closed.
bool Becomes(size_t count, pid_t pid) {
  for (int i = 0; i < 500; ++i) {
    const size_t open = OpenFdCount(pid).value();
    if (open >= count && open <= count + kMoreChannels) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST_P(ManyNamesTest, AThousandAtOnceAndNoDescriptorStaysOpen) {
  BrokerProcess broker = StartNamesBroker(OneRole(dns_.port(), kRule), audit_);
  NamesWorker worker(broker, [&](const NamesWorker::Inside& inside) {
    std::string text = FetchAll(inside.client(), "a");
    inside.Pause();
    text += FetchAll(inside.client(), "b");
    inside.Pause();
    return text;
  });
  worker.AwaitPause();
  // Channels are kept for reuse, so the first thousand are the measure for the second.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const size_t in_broker = OpenFdCount(broker.pid()).value();
  const size_t in_worker = OpenFdCount(worker.worker().pid()).value();
  worker.Resume();
  worker.AwaitPause();
  EXPECT_TRUE(Becomes(in_broker, broker.pid()));
  EXPECT_TRUE(Becomes(in_worker, worker.worker().pid()));
  worker.Resume();
  EXPECT_EQ(worker.Text(), absl::StrCat(kAllWell, kAllWell));
  EXPECT_EQ(dns_.TimesAsked("a0.test"), 1U);
  EXPECT_EQ(dns_.TimesAsked("b999.test"), 1U);
}

// The worker's own threads wait for each other; nothing fails for it.
TEST_P(ManyNamesTest, UnderTheNarrowestLimits) {
  for (const char* limits : {"max_channels = 2\n", "max_channels = 100\nmax_lookups = 5\n"}) {
    const std::string policy = absl::StrCat(kRule, "[roles.test.limits]\n", limits);
    BrokerProcess broker = StartNamesBroker(OneRole(dns_.port(), policy), audit_);
    NamesWorker worker(
        broker, [&](const NamesWorker::Inside& inside) { return FetchAll(inside.client(), "a"); });
    EXPECT_EQ(worker.Text(), kAllWell) << limits;
  }
}

}  // namespace
}  // namespace sockgate::testing
