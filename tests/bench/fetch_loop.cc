#include "tests/bench/fetch_loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/bench/name_server.h"

namespace sockgate::bench {
namespace {

constexpr int kPollMs = 1000;
constexpr long kTimeoutSeconds = 10;  // NOLINT(google-runtime-int): libcurl's type

size_t Discard(char* /*data*/, size_t size, size_t count, void* /*state*/) { return size * count; }

bool Failed(CURL* easy, CURLcode code) {
  long status = 0;  // NOLINT(google-runtime-int): libcurl's type
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  return code != CURLE_OK || status != 200;
}

}  // namespace

FetchLoop::FetchLoop(std::vector<std::string> urls, const FetchBy& by)
    : urls_(std::move(urls)),
      by_(by),
      headers_(curl_slist_append(nullptr, "Connection: close")),
      multi_(curl_multi_init()) {}

FetchLoop::~FetchLoop() {
  DropHandles();
  curl_multi_cleanup(multi_);
  curl_slist_free_all(headers_);
}

void FetchLoop::Serve(int control) {
  FetchOrder order;
  while (recv(control, &order, sizeof(order), 0) == sizeof(order)) {
    const FetchAnswer answer = Perform(order);
    if (send(control, &answer, sizeof(answer), MSG_NOSIGNAL) != sizeof(answer)) return;
  }
}

FetchAnswer FetchLoop::Perform(const FetchOrder& order) {
  FetchAnswer answer;
  if (!Ready(order)) {
    answer.failures = order.count;
    return answer;
  }
  const auto begun = std::chrono::steady_clock::now();
  answer.failures = order.concurrency == 1 ? OneByOne(order) : AtATime(order);
  const std::chrono::nanoseconds elapsed = std::chrono::steady_clock::now() - begun;
  answer.elapsed_ns = static_cast<uint64_t>(elapsed.count());
  return answer;
}

uint32_t FetchLoop::OneByOne(const FetchOrder& order) {
  CURL* easy = handles_.front().get();
  uint32_t failures = 0;
  for (uint32_t i = 0; i < order.count; ++i) {
    failures += !Aim(easy, order) || Failed(easy, curl_easy_perform(easy)) ? 1 : 0;
  }
  return failures;
}

uint32_t FetchLoop::AtATime(const FetchOrder& order) {
  uint32_t started = 0;
  uint32_t finished = 0;
  uint32_t failures = 0;
  for (; started < order.concurrency; ++started) {
    failures += Start(handles_[started].get(), order) ? 0 : 1;
  }
  while (finished < order.count) {
    int running;
    curl_multi_perform(multi_, &running);
    failures += TakeFinished(order, &started, &finished);
    if (finished < order.count) curl_multi_poll(multi_, nullptr, 0, kPollMs, nullptr);
  }
  return failures;
}

// A fetch that cannot be aimed is started all the same, since it is counted on to finish.
bool FetchLoop::Start(CURL* easy, const FetchOrder& order) {
  const bool aimed = Aim(easy, order);
  return curl_multi_add_handle(multi_, easy) == CURLM_OK && aimed;
}

bool FetchLoop::Aim(CURL* easy, const FetchOrder& order) {
  if (order.hosts == FetchHosts::kAddress) return true;
  // Other processes ask the same broker.
  const std::string label = order.hosts == FetchHosts::kOneName
                                ? "same"
                                : absl::StrCat("fetch", ++last_name_, "by", getpid());
  const std::string url = WithName(urls_[order.url], label);
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  if (!by_.ahead) curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
  return !by_.ahead || by_.adapter->ResolveAhead(easy, url).error.ok();
}

// Starts one fetch for each that has finished, as long as there are any to start.
uint32_t FetchLoop::TakeFinished(const FetchOrder& order, uint32_t* started, uint32_t* finished) {
  uint32_t failures = 0;
  int left;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    failures += Failed(easy, message->data.result) ? 1 : 0;
    curl_multi_remove_handle(multi_, easy);
    ++*finished;
    if (*started == order.count) continue;
    failures += Start(easy, order) ? 0 : 1;
    ++*started;
  }
  return failures;
}

bool FetchLoop::Ready(const FetchOrder& order) {
  if (order.url >= urls_.size() || order.concurrency == 0 || order.count < order.concurrency) {
    return false;
  }
  if (order.hosts != FetchHosts::kAddress) DropHandles();
  while (handles_.size() < order.concurrency) {
    handles_.push_back(NewHandle());
    if (handles_.back() == nullptr) return false;
  }
  for (const EasyHandle& handle : handles_) {
    curl_easy_setopt(handle.get(), CURLOPT_URL, urls_[order.url].c_str());
  }
  return true;
}

// Null when the adapter or the trust store refuses.
FetchLoop::EasyHandle FetchLoop::NewHandle() {
  EasyHandle handle(curl_easy_init());
  CURL* easy = handle.get();
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, kTimeoutSeconds);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, Discard);
  if (!by_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, by_.ca_file.c_str());
  if (by_.no_ca_folder) curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  if (by_.trust != nullptr && !by_.trust->Attach(easy).ok()) return nullptr;
  if (by_.adapter != nullptr && !by_.adapter->Attach(easy).ok()) return nullptr;
  return handle;
}

void FetchLoop::DropHandles() {
  for (const EasyHandle& handle : handles_) {
    if (by_.adapter != nullptr) by_.adapter->Detach(handle.get());
  }
  handles_.clear();
  // The cache of names is the multi handle's.
  curl_multi_cleanup(multi_);
  multi_ = curl_multi_init();
}

}  // namespace sockgate::bench
