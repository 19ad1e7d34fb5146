#include "tests/integration/transfer.h"

#include <chrono>
#include <memory>

#include "absl/strings/str_cat.h"
#include "proto/check.h"

namespace sockgate::testing {
namespace {

using Clock = std::chrono::steady_clock;

size_t Append(char* data, size_t size, size_t count, void* body) {
  static_cast<std::string*>(body)->append(data, size * count);
  return size * count;
}

class Transfer {
 public:
  Transfer(CurlAdapter& adapter, const std::string& url, const TransferOptions& options)
      : adapter_(adapter), easy_(curl_easy_init()), trust_pem_(options.trust_pem) {
    SOCKGATE_CHECK(adapter.Attach(easy_).ok());
    curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, 30000L);
    curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, options.connect_timeout_ms);
    curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, options.follow ? 1L : 0L);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Append);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &ended_.body);
    curl_blob trust = {trust_pem_.data(), trust_pem_.size(), CURL_BLOB_NOCOPY};
    if (!trust_pem_.empty()) curl_easy_setopt(easy_, CURLOPT_CAINFO_BLOB, &trust);
    if (!options.interface.empty()) {
      curl_easy_setopt(easy_, CURLOPT_INTERFACE, options.interface.c_str());
    }
    if (!options.unix_path.empty()) {
      curl_easy_setopt(easy_, CURLOPT_UNIX_SOCKET_PATH, options.unix_path.c_str());
    }
    for (const std::string& entry : options.resolve) {
      resolve_ = curl_slist_append(resolve_, entry.c_str());
    }
    curl_easy_setopt(easy_, CURLOPT_RESOLVE, resolve_);
    if (options.prepare) adapter.Prepare(easy_, url);
  }

  ~Transfer() {
    adapter_.Detach(easy_);
    curl_easy_cleanup(easy_);
    curl_slist_free_all(resolve_);
  }

  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* easy() { return easy_; }

  void End(CURLcode code, Clock::time_point begun) {
    ended_.code = code;
    ended_.ms = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun).count();
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &ended_.os_errno);
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &ended_.status);
    ended_.error = adapter_.LastError(easy_, code);
    ended_.explanation = adapter_.Explain(easy_, code);
  }

  const Ended& ended() const { return ended_; }

 private:
  CurlAdapter& adapter_;
  CURL* const easy_;
  std::string trust_pem_;
  curl_slist* resolve_ = nullptr;
  Ended ended_;
};

void CollectEnded(CURLM* multi, Clock::time_point begun) {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    reinterpret_cast<Transfer*>(transfer)->End(message->data.result, begun);
  }
}

}  // namespace

std::string Ended::ToString() const {
  if (code != CURLE_OK) return absl::StrCat("code ", code, " errno ", os_errno);
  return absl::StrCat("code 0 status ", status, " body ", body);
}

Ended Perform(CurlAdapter& adapter, const std::string& url, const TransferOptions& options) {
  Transfer transfer(adapter, url, options);
  const auto begun = Clock::now();
  transfer.End(curl_easy_perform(transfer.easy()), begun);
  return transfer.ended();
}

std::vector<Ended> PerformTogether(CurlAdapter& adapter, const std::vector<std::string>& urls,
                                   const TransferOptions& options) {
  const std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi(curl_multi_init(),
                                                                    curl_multi_cleanup);
  std::vector<std::unique_ptr<Transfer>> transfers;
  const auto begun = Clock::now();
  for (const std::string& url : urls) {
    transfers.push_back(std::make_unique<Transfer>(adapter, url, options));
    curl_multi_add_handle(multi.get(), transfers.back()->easy());
  }
  int running = 1;
  while (running > 0) {
    SOCKGATE_CHECK(curl_multi_perform(multi.get(), &running) == CURLM_OK);
    CollectEnded(multi.get(), begun);
    if (running > 0) curl_multi_poll(multi.get(), nullptr, 0, 1000, nullptr);
  }
  std::vector<Ended> all;
  for (const auto& transfer : transfers) {
    curl_multi_remove_handle(multi.get(), transfer->easy());
    all.push_back(transfer->ended());
  }
  return all;
}

}  // namespace sockgate::testing
