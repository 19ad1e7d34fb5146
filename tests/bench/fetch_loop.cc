#include "tests/bench/fetch_loop.h"

#include <sys/socket.h>

#include <chrono>
#include <utility>

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

FetchLoop::FetchLoop(std::vector<std::string> urls, CurlAdapter* adapter)
    : urls_(std::move(urls)),
      adapter_(adapter),
      headers_(curl_slist_append(nullptr, "Connection: close")),
      multi_(curl_multi_init()) {}

FetchLoop::~FetchLoop() {
  for (const EasyHandle& handle : handles_) {
    if (adapter_ != nullptr) adapter_->Detach(handle.get());
  }
  handles_.clear();
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
  answer.failures =
      order.concurrency == 1 ? OneByOne(order.count) : AtATime(order.concurrency, order.count);
  const std::chrono::nanoseconds elapsed = std::chrono::steady_clock::now() - begun;
  answer.elapsed_ns = static_cast<uint64_t>(elapsed.count());
  return answer;
}

uint32_t FetchLoop::OneByOne(uint32_t count) {
  CURL* easy = handles_.front().get();
  uint32_t failures = 0;
  for (uint32_t i = 0; i < count; ++i) failures += Failed(easy, curl_easy_perform(easy)) ? 1 : 0;
  return failures;
}

uint32_t FetchLoop::AtATime(uint32_t concurrency, uint32_t count) {
  uint32_t started = 0;
  uint32_t finished = 0;
  uint32_t failures = 0;
  for (; started < concurrency; ++started) {
    curl_multi_add_handle(multi_, handles_[started].get());
  }
  while (finished < count) {
    int running;
    curl_multi_perform(multi_, &running);
    failures += TakeFinished(count, &started, &finished);
    if (finished < count) curl_multi_poll(multi_, nullptr, 0, kPollMs, nullptr);
  }
  return failures;
}

// Starts one fetch for each that has finished, as long as there are any to start.
uint32_t FetchLoop::TakeFinished(uint32_t count, uint32_t* started, uint32_t* finished) {
  uint32_t failures = 0;
  int left;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    failures += Failed(easy, message->data.result) ? 1 : 0;
    curl_multi_remove_handle(multi_, easy);
    ++*finished;
    if (*started == count) continue;
    curl_multi_add_handle(multi_, easy);
    ++*started;
  }
  return failures;
}

bool FetchLoop::Ready(const FetchOrder& order) {
  if (order.url >= urls_.size() || order.concurrency == 0 || order.count < order.concurrency) {
    return false;
  }
  while (handles_.size() < order.concurrency) {
    handles_.push_back(NewHandle());
    if (handles_.back() == nullptr) return false;
  }
  for (const EasyHandle& handle : handles_) {
    curl_easy_setopt(handle.get(), CURLOPT_URL, urls_[order.url].c_str());
  }
  return true;
}

// Null when the adapter refuses.
FetchLoop::EasyHandle FetchLoop::NewHandle() {
  EasyHandle handle(curl_easy_init());
  CURL* easy = handle.get();
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, kTimeoutSeconds);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, Discard);
  if (adapter_ != nullptr && !adapter_->Attach(easy).ok()) handle.reset();
  return handle;
}

}  // namespace sockgate::bench
