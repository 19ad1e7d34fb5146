#include "tests/escape/features/easy.h"

#include <chrono>

#include "absl/strings/str_cat.h"

namespace sockgate::escape {
namespace {

constexpr long kPatienceMs = 20000;
constexpr size_t kToldBytes = 200;

size_t Append(char* data, size_t size, size_t count, void* body) {
  static_cast<std::string*>(body)->append(data, size * count);
  return size * count;
}

}  // namespace

Easy::Easy(CurlAdapter& adapter, const std::string& url)
    : adapter_(adapter), easy_(curl_easy_init()) {
  SOCKGATE_CHECK(adapter.Attach(easy_).ok());
  SetUrl(url);
  Set(CURLOPT_PROXY, "");
  Set(CURLOPT_NOSIGNAL, 1L);
  Set(CURLOPT_TIMEOUT_MS, kPatienceMs);
  Set(CURLOPT_WRITEFUNCTION, &Append);
  Set(CURLOPT_WRITEDATA, &body_);
}

Easy::~Easy() {
  adapter_.Detach(easy_);
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
}

void Easy::AddHeader(const std::string& line) {
  headers_ = curl_slist_append(headers_, line.c_str());
  Set(CURLOPT_HTTPHEADER, headers_);
}

CURLcode Easy::Perform() {
  body_.clear();
  code_ = curl_easy_perform(easy_);
  return code_;
}

std::string Easy::Want(long status, absl::string_view body) {
  const bool good = Perform() == CURLE_OK && Info(CURLINFO_RESPONSE_CODE) == status;
  return good && body_ == body ? "ok" : Told();
}

std::string Easy::WantCode(CURLcode code) { return Perform() == code ? "ok" : Told(); }

long Easy::Info(CURLINFO info) const {
  long value = -1;
  curl_easy_getinfo(easy_, info, &value);
  return value;
}

std::string Easy::Told() const {
  return absl::StrCat("code ", code_, " status ", Info(CURLINFO_RESPONSE_CODE), " ", body_.size(),
                      " bytes: ", body_.substr(0, kToldBytes), "; ",
                      adapter_.Explain(easy_, code_));
}

CurlAdapterOptions InMode(ConnectMode mode) {
  CurlAdapterOptions options;
  options.mode = mode;
  options.connect_deadline = std::chrono::seconds(10);
  return options;
}

}  // namespace sockgate::escape
