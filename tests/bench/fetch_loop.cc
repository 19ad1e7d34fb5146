#include "tests/bench/fetch_loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/url_host.h"
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

FetchQuota::FetchQuota(const FetchOrder& order)
    : count_(order.count),
      end_(order.limit_ms == 0
               ? std::chrono::steady_clock::time_point::max()
               : std::chrono::steady_clock::now() + std::chrono::milliseconds(order.limit_ms)) {}

bool FetchQuota::Take() {
  if (taken_ == count_ || std::chrono::steady_clock::now() >= end_) return false;
  ++taken_;
  return true;
}

FetchLoop::FetchLoop(std::vector<std::string> urls, const FetchBy& by)
    : urls_(std::move(urls)),
      by_(by),
      headers_(curl_slist_append(nullptr, "Connection: close")),
      multi_(curl_multi_init()) {}

FetchLoop::~FetchLoop() {
  Detach(held_);
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
  if (order.deed == FetchDeed::kRelease) {
    Detach(held_);
    held_.clear();
    return answer;
  }
  if (!Ready(order)) {
    answer.failures = order.count;
    return answer;
  }
  FetchQuota quota(order);
  const auto begun = std::chrono::steady_clock::now();
  if (order.deed == FetchDeed::kHold) {
    answer.failures = Hold(order, &quota);
  } else {
    answer.failures = order.concurrency == 1 ? OneByOne(order, &quota) : AtATime(order, &quota);
  }
  const std::chrono::nanoseconds elapsed = std::chrono::steady_clock::now() - begun;
  answer.elapsed_ns = static_cast<uint64_t>(elapsed.count());
  answer.begun = quota.taken();
  return answer;
}

uint32_t FetchLoop::OneByOne(const FetchOrder& order, FetchQuota* quota) {
  CURL* easy = handles_.front().get();
  uint32_t failures = 0;
  while (quota->Take()) {
    if (by_.prepared) PrepareNext(urls_[order.url]);
    failures += !Aim(easy, order) || Failed(easy, curl_easy_perform(easy)) ? 1 : 0;
  }
  return failures;
}

uint32_t FetchLoop::AtATime(const FetchOrder& order, FetchQuota* quota) {
  uint32_t finished = 0;
  uint32_t failures = 0;
  for (uint32_t i = 0; i < order.concurrency && quota->Take(); ++i) {
    failures += Start(handles_[i].get(), order) ? 0 : 1;
  }
  while (finished < quota->taken()) {
    int running;
    curl_multi_perform(multi_, &running);
    failures += TakeFinished(order, quota, &finished);
    if (finished < quota->taken()) curl_multi_poll(multi_, nullptr, 0, kPollMs, nullptr);
  }
  return failures;
}

// Through a proxy that speaks HTTP it is a tunnel (CONNECT), as for HTTPS. Stops at the first that
// fails.
uint32_t FetchLoop::Hold(const FetchOrder& order, FetchQuota* quota) {
  while (quota->Take()) {
    held_.push_back(NewHandle());
    CURL* easy = held_.back().get();
    if (easy == nullptr) return 1;
    curl_easy_setopt(easy, CURLOPT_URL, urls_[order.url].c_str());
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    if (curl_easy_perform(easy) != CURLE_OK) return 1;
  }
  return 0;
}

// A fetch that cannot be aimed is started all the same, since it is counted on to finish.
bool FetchLoop::Start(CURL* easy, const FetchOrder& order) {
  const bool aimed = Aim(easy, order);
  if (by_.prepared) by_.adapter->Prepare(easy, urls_[order.url]);
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
uint32_t FetchLoop::TakeFinished(const FetchOrder& order, FetchQuota* quota, uint32_t* finished) {
  uint32_t failures = 0;
  int left;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    failures += Failed(easy, message->data.result) ? 1 : 0;
    curl_multi_remove_handle(multi_, easy);
    ++*finished;
    if (quota->Take()) failures += Start(easy, order) ? 0 : 1;
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
  curl_easy_setopt(easy, CURLOPT_PROXY, by_.proxy.c_str());
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
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

void FetchLoop::Detach(const std::vector<EasyHandle>& handles) const {
  for (const EasyHandle& handle : handles) {
    if (by_.adapter != nullptr) by_.adapter->Detach(handle.get());
  }
}

// One socket is for the fetch that begins, one for that after it.
void FetchLoop::PrepareNext(const std::string& url) const {
  const auto host = HostOfUrl(url);
  const auto endpoint = host.has_value() ? EndpointOf(*host) : std::nullopt;
  if (endpoint.has_value()) by_.adapter->Preconnect(host->name, endpoint->port(), 2);
}

void FetchLoop::DropHandles() {
  Detach(handles_);
  handles_.clear();
  // The cache of names is the multi handle's.
  curl_multi_cleanup(multi_);
  multi_ = curl_multi_init();
}

}  // namespace sockgate::bench
