// A broker is killed and started anew on the same path: what its workers have goes on, and what they
// want next they get from the next one.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/curl_adapter.h"
#include "proto/check.h"
#include "tests/broker/temp_folder.h"
#include "tests/integration/listening_broker.h"
#include "tests/integration/pausing_run.h"
#include "tests/integration/server_process.h"
#include "tests/integration/transfer.h"
#include "tests/support/byte_pattern.h"
#include "tests/support/test_namespace.h"

namespace sockgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Inside = PausingRun::Inside;

// More than all buffers on the way hold, so that most of it is sent after the broker's death.
constexpr uint64_t kManyBytes = 64 << 20;

// A body of which the first piece is there before the broker dies.
struct Body {
  const Inside* inside = nullptr;
  bool paused = false;
  uint64_t size = 0;
  bool as_it_should_be = true;
};

size_t Take(char* data, size_t size, size_t count, void* body_pointer) {
  auto* body = static_cast<Body*>(body_pointer);
  if (!std::exchange(body->paused, true)) body->inside->Pause();
  const size_t total = size * count;
  for (size_t i = 0; i < total; ++i) {
    if (data[i] != PatternByte(body->size + i)) body->as_it_should_be = false;
  }
  body->size += total;
  return total;
}

// One handle, which keeps what it has found out about names and connects for every transfer.
class Handle {
 public:
  Handle(const Inside& inside, ConnectMode mode)
      : adapter_(&inside.client(), {mode, std::chrono::seconds(10), nullptr}) {
    SOCKGATE_CHECK(adapter_.Attach(easy_).ok());
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, 30000L);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Take);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &body_);
    body_.inside = &inside;
  }
  ~Handle() {
    adapter_.Detach(easy_);
    curl_easy_cleanup(easy_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  // Pauses in the middle of the first body.
  std::string Fetch(const std::string& url) {
    body_.size = 0;
    curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
    const CURLcode code = curl_easy_perform(easy_);
    return absl::StrCat(adapter_.Explain(easy_, code), ", ", body_.size,
                        body_.as_it_should_be ? " bytes" : " wrong bytes");
  }

 private:
  CurlAdapter adapter_;
  CURL* const easy_ = curl_easy_init();
  Body body_;
};

std::string AllowLoopback() {
  return "version = 1\n[roles.test]\nallow = [{ cidr = '127.0.0.0/8', ports = '*' }]\n";
}

class ReconnectTest : public ::testing::TestWithParam<std::tuple<Comes, ConnectMode>> {
 protected:
  static Comes comes() { return std::get<0>(GetParam()); }
  static ConnectMode mode() { return std::get<1>(GetParam()); }

  const TempFolder folder_;
  ServerProcess server_{{}};
};

INSTANTIATE_TEST_SUITE_P(, ReconnectTest,
                         ::testing::Combine(::testing::Values(Comes::kByPath, Comes::kBySource),
                                            ::testing::Values(ConnectMode::kConnected,
                                                              ConnectMode::kInProgress)),
                         [](const auto& both) {
                           return absl::StrCat(::testing::PrintToString(std::get<0>(both.param)),
                                               std::get<1>(both.param) == ConnectMode::kConnected
                                                   ? "Connected"
                                                   : "InProgress");
                         });

TEST_P(ReconnectTest, ATransferGoesOnAndTheNextGoesThroughTheNextBroker) {
  ListeningBroker broker(folder_ / "broker", AllowLoopback());
  PausingRun run(broker.path(), comes(), [&](const Inside& inside) {
    Handle handle(inside, mode());
    std::string text = handle.Fetch(server_.Url(absl::StrCat("/bytes/", kManyBytes)));
    inside.Pause();
    CurlAdapter adapter(&inside.client(), {mode(), std::chrono::seconds(10), nullptr});
    for (int i = 0; i < 2; ++i) {
      absl::StrAppend(&text, "; ", Perform(adapter, server_.Url("/status/204")).ToString());
    }
    return text;
  });
  run.AwaitPause();
  broker.Kill();
  run.Resume();
  run.AwaitPause();
  broker.Start();
  run.Resume();
  EXPECT_EQ(run.Text(), absl::StrCat("No error, ", kManyBytes,
                                     " bytes; code 0 status 204 body ; code 0 status 204 body "));
}

TEST_P(ReconnectTest, ManyRestarts) {
  ListeningBroker broker(folder_ / "broker", AllowLoopback());
  constexpr int kRestarts = 5;
  PausingRun run(broker.path(), comes(), [&](const Inside& inside) {
    std::string text;
    CurlAdapter adapter(&inside.client(), {mode(), std::chrono::seconds(10), nullptr});
    for (int i = 0; i < kRestarts; ++i) {
      inside.Pause();
      absl::StrAppend(&text, Perform(adapter, server_.Url("/status/204")).status, " ");
    }
    return text;
  });
  for (int i = 0; i < kRestarts; ++i) {
    run.AwaitPause();
    broker.Kill();
    broker.Start();
    run.Resume();
  }
  EXPECT_EQ(run.Text(), "204 204 204 204 204 ");
}

// libcurl remembers the address and connects without a lookup, while the next broker has never
// heard of the name that its rule is about.
TEST_P(ReconnectTest, ARuleOnAHostHoldsWithTheNextBrokerToo) {
  std::ofstream(folder_ / "hosts") << "127.0.0.1 a.test\n";
  ListeningBroker broker(
      folder_ / "broker",
      absl::StrCat(
          "version = 1\n[resolver]\nservers = ['127.0.0.1:1']\nhosts = '", folder_ / "hosts",
          "'\n[roles.test]\nallow = [{ host = 'a.test', ports = '*', private = true }]\n"));
  PausingRun run(broker.path(), comes(), [&](const Inside& inside) {
    Handle handle(inside, mode());
    const std::string url = absl::StrCat("http://a.test:", server_.port(), "/bytes/100");
    const std::string text = handle.Fetch(url);
    return absl::StrCat(text, "; ", handle.Fetch(url));
  });
  run.AwaitPause();
  broker.Kill();
  broker.Start();
  run.Resume();
  EXPECT_EQ(run.Text(), "No error, 100 bytes; No error, 100 bytes");
}

TEST_P(ReconnectTest, WithoutABrokerTheErrorSaysThatItIsLookedFor) {
  ListeningBroker broker(folder_ / "broker", AllowLoopback());
  PausingRun run(broker.path(), comes(), [&](const Inside& inside) {
    inside.Pause();
    CurlAdapter adapter(&inside.client(), {mode(), milliseconds(500), nullptr});
    const auto begun = steady_clock::now();
    const Ended ended = Perform(adapter, server_.Url("/status/204"));
    const bool soon = steady_clock::now() - begun < milliseconds(1500);
    return absl::StrCat(soon ? "" : "late, ", "code ", ended.code, "; ", ended.explanation);
  });
  run.AwaitPause();
  broker.Kill();
  run.Resume();
  const std::string text = run.Text();
  const std::string begin = absl::StrCat("code 7; 127.0.0.1:", server_.port(),
                                         ": the broker has gone or closed the channel (its audit "
                                         "log says why); the client connects to "
                                         "it anew, try again in ");
  EXPECT_TRUE(absl::StartsWith(text, begin)) << text;
  EXPECT_TRUE(absl::EndsWith(text, " ms")) << text;
}

TEST_P(ReconnectTest, ALookupWithoutABrokerSaysSoToo) {
  ListeningBroker broker(folder_ / "broker",
                         absl::StrCat(AllowLoopback(), "[resolver]\nservers = ['127.0.0.1:1']\n"));
  PausingRun run(broker.path(), comes(), [&](const Inside& inside) {
    inside.Pause();
    CurlAdapter adapter(&inside.client(), {mode(), std::chrono::seconds(10), nullptr});
    const Ended ended = Perform(adapter, "http://a.test/");
    return absl::StrCat("code ", ended.code, "; ", ended.explanation);
  });
  run.AwaitPause();
  broker.Kill();
  run.Resume();
  const std::string text = run.Text();
  EXPECT_TRUE(absl::StartsWith(text, "code 6; a.test: the broker has gone or closed the channel"))
      << text;
  EXPECT_TRUE(absl::StrContains(text, "; the client connects to it anew, try again in ")) << text;
}

// Killed while it connects for a worker; the next one connects in its place, in the time that is
// left.
TEST(ReconnectOnceTest, ARequestThatWasCutOffIsMadeAgain) {
  const TempFolder folder;
  ListeningBroker broker(folder / "broker",
                         "version = 1\n[roles.test]\n"
                         "allow = [{ cidr = '203.0.113.0/24', ports = '*' }]\n");
  for (const Comes comes : {Comes::kByPath, Comes::kBySource}) {
    PausingRun run(broker.path(), comes, [&](const Inside& inside) {
      ConnectRequest request;
      request.endpoint = Endpoint::Ip(*IpAddress::Parse(kBlackHoleV4), 80);
      request.deadline_ms = 2000;
      inside.Pause();
      const auto begun = steady_clock::now();
      const ConnectResult result = inside.client().Connect(request);
      const auto took = steady_clock::now() - begun;
      return absl::StrCat(result.error.ToString(), took < milliseconds(1900) ? " early" : "",
                          took > milliseconds(2900) ? " late" : "");
    });
    run.AwaitPause();
    run.Resume();
    std::this_thread::sleep_for(milliseconds(500));
    broker.Kill();
    std::this_thread::sleep_for(milliseconds(200));
    broker.Start();
    EXPECT_EQ(run.Text(), "allowed, but the connection failed: Connection timed out");
  }
}

// A path is of no use to whoever may not connect; then nothing must be promised.
TEST(ReconnectOnceTest, AWorkerThatCannotComeBackIsToldSo) {
  const TempFolder folder;
  ServerProcess server({});
  ListeningBroker broker(folder / "broker", AllowLoopback());
  PausingRun run(broker.path(), Comes::kByPathOnlyOnce, [&](const Inside& inside) {
    CurlAdapter adapter(&inside.client(), {});
    std::string text = Perform(adapter, server.Url("/status/204")).ToString();
    inside.Pause();
    return absl::StrCat(text, "; ", Perform(adapter, server.Url("/status/204")).explanation);
  });
  run.AwaitPause();
  broker.Kill();
  broker.Start();
  run.Resume();
  EXPECT_EQ(run.Text(),
            absl::StrCat("code 0 status 204 body ; 127.0.0.1:", server.port(),
                         ": the broker has gone or closed the channel (its audit log says why)"));
}

// The launcher's own process is what the broker sees.
TEST(ReconnectOnceTest, ARoleForConfinedProcessesRefusesAChannelOfTheLaunchers) {
  const TempFolder folder;
  ServerProcess server({});
  ListeningBroker broker(folder / "broker",
                         absl::StrCat(AllowLoopback(), "require_confined = true\n"));
  PausingRun run(broker.path(), Comes::kBySource, [&](const Inside& inside) {
    CurlAdapter adapter(&inside.client(), {});
    return Perform(adapter, server.Url("/status/204")).explanation;
  });
  EXPECT_EQ(run.Text(), absl::StrCat("127.0.0.1:", server.port(), ": denied (not-confined)"));
}

}  // namespace
}  // namespace sockgate::testing
