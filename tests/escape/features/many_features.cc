// Many transfers at once: in one curl_multi, and in threads that share caches.

#include <array>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/escape/features/easy.h"
#include "tests/escape/features/features.h"
#include "tests/integration/transfer.h"
#include "tests/support/http_routes.h"

namespace sockgate::escape {
namespace {

using testing::kHelloBody;

constexpr size_t kTransfers = 200;
constexpr size_t kThreads = 4;

std::string MultiOfTwoHundred(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kInProgress));
  const std::vector<std::string> urls(kTransfers, places.http + "/hello");
  for (const testing::Ended& ended : testing::PerformTogether(adapter, urls)) {
    if (ended.body != kHelloBody) return absl::StrCat(ended.ToString(), "; ", ended.explanation);
  }
  return "ok";
}

// From another thread, through libcurl's own socket pair.
std::string MultiWoken(BrokerClient&, const Places&) {
  CURLM* multi = curl_multi_init();
  std::thread waker([&] { curl_multi_wakeup(multi); });
  constexpr int kPatienceMs = 20000;
  const CURLMcode code = curl_multi_poll(multi, nullptr, 0, kPatienceMs, nullptr);
  waker.join();
  curl_multi_cleanup(multi);
  return code == CURLM_OK ? "ok" : curl_multi_strerror(code);
}

// A CURLSH with a lock for each kind of data.
class Share {
 public:
  Share() {
    curl_share_setopt(share_, CURLSHOPT_LOCKFUNC, &Lock);
    curl_share_setopt(share_, CURLSHOPT_UNLOCKFUNC, &Unlock);
    curl_share_setopt(share_, CURLSHOPT_USERDATA, this);
    for (const curl_lock_data data :
         {CURL_LOCK_DATA_COOKIE, CURL_LOCK_DATA_DNS, CURL_LOCK_DATA_SSL_SESSION}) {
      curl_share_setopt(share_, CURLSHOPT_SHARE, data);
    }
  }
  ~Share() { curl_share_cleanup(share_); }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  CURLSH* get() const { return share_; }

 private:
  static void Lock(CURL*, curl_lock_data data, curl_lock_access, void* share) {
    static_cast<Share*>(share)->locks_[data].lock();
  }
  static void Unlock(CURL*, curl_lock_data data, void* share) {
    static_cast<Share*>(share)->locks_[data].unlock();
  }

  CURLSH* const share_ = curl_share_init();
  std::array<std::mutex, CURL_LOCK_DATA_LAST> locks_;
};

std::string FetchWith(CurlAdapter& adapter, const Share& share, const Places& places) {
  constexpr int kRounds = 5;
  Easy easy(adapter, places.https + "/hello");
  easy.Set(CURLOPT_SHARE, share.get());
  easy.Set(CURLOPT_FORBID_REUSE, 1L);
  if (!places.trust->Attach(easy.get()).ok()) return "no trust";
  std::string text = "ok";
  for (int i = 0; i < kRounds && text == "ok"; ++i) text = easy.Want(200, kHelloBody);
  return text;
}

std::string ThreadsThatShare(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  const Share share;
  std::array<std::string, kThreads> texts;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (std::string& text : texts) {
    threads.emplace_back([&] { text = FetchWith(adapter, share, places); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& text : texts) {
    if (text != "ok") return text;
  }
  return "ok";
}

}  // namespace

std::vector<Feature> ManyFeatures() {
  return {
      {"MultiOfTwoHundred", MultiOfTwoHundred},
      {"MultiWoken", MultiWoken},
      {"ThreadsThatShare", ThreadsThatShare},
  };
}

}  // namespace sockgate::escape
