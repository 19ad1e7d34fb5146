#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <string>

#include "client/curl_adapter.h"
#include "library/c_client.h"
#include "library/c_error.h"
#include "library/connect_failure.h"
#include "library/sockgate.h"

struct sockgate_curl {
  sockgate::CurlAdapter adapter;
};

namespace sockgate::c {
namespace {

int CheckHandles(const sockgate_curl* curl, const void* easy, sockgate_error* error) {
  if (curl == nullptr) return FailNull(error, "curl");
  return easy == nullptr ? FailNull(error, "easy") : SOCKGATE_OK;
}

}  // namespace
}  // namespace sockgate::c

using namespace sockgate;     // NOLINT(google-build-using-namespace)
using namespace sockgate::c;  // NOLINT(google-build-using-namespace)

int sockgate_curl_new(sockgate_client* client, int mode, uint32_t connect_deadline_ms,
                      sockgate_curl** curl, sockgate_error* error) {
  return Guarded(error, [&] {
    if (client == nullptr) return FailNull(error, "client");
    if (curl == nullptr) return FailNull(error, "curl");
    if ((mode != SOCKGATE_CONNECTED && mode != SOCKGATE_IN_PROGRESS) || connect_deadline_ms < 1 ||
        connect_deadline_ms > kMaxDeadlineMs) {
      return Fail(error, SOCKGATE_BAD_ARGUMENT,
                  "the mode is none, or the deadline is not within 1 and 150000 ms");
    }
    CurlAdapterOptions options;
    options.mode = mode == SOCKGATE_CONNECTED ? ConnectMode::kConnected : ConnectMode::kInProgress;
    options.connect_deadline = std::chrono::milliseconds(connect_deadline_ms);
    *curl = new sockgate_curl{CurlAdapter(client->client.get(), std::move(options))};
    return int{SOCKGATE_OK};
  });
}

void sockgate_curl_free(sockgate_curl* curl) { delete curl; }

int sockgate_curl_attach(sockgate_curl* curl, void* easy, sockgate_error* error) {
  return Guarded(error, [&] {
    if (const int code = CheckHandles(curl, easy, error)) return code;
    return Fail(error, curl->adapter.Attach(static_cast<CURL*>(easy)));
  });
}

void sockgate_curl_detach(sockgate_curl* curl, void* easy) {
  if (curl != nullptr && easy != nullptr) curl->adapter.Detach(static_cast<CURL*>(easy));
}

int sockgate_curl_resolve_ahead(sockgate_curl* curl, void* easy, const char* url,
                                sockgate_error* error) {
  return Guarded(error, [&] {
    if (const int code = CheckHandles(curl, easy, error)) return code;
    if (url == nullptr) return FailNull(error, "url");
    return Fail(error, curl->adapter.ResolveAhead(static_cast<CURL*>(easy), url).error);
  });
}

int sockgate_curl_prepare(sockgate_curl* curl, void* easy, const char* url, sockgate_error* error) {
  return Guarded(error, [&] {
    if (curl == nullptr) return FailNull(error, "curl");
    if (url == nullptr) return FailNull(error, "url");
    curl->adapter.Prepare(static_cast<CURL*>(easy), url);
    return int{SOCKGATE_OK};
  });
}

int sockgate_curl_preconnect(sockgate_curl* curl, const char* host, uint16_t port, size_t count,
                             size_t* ready, sockgate_error* error) {
  return Guarded(error, [&] {
    if (curl == nullptr) return FailNull(error, "curl");
    if (host == nullptr) return FailNull(error, "host");
    const size_t kept = curl->adapter.Preconnect(host, port, count);
    if (ready != nullptr) *ready = kept;
    return int{SOCKGATE_OK};
  });
}

int sockgate_curl_explain(sockgate_curl* curl, void* easy, int curl_code, sockgate_error* error) {
  return Guarded(error, [&] {
    if (const int code = CheckHandles(curl, easy, error)) return code;
    if (curl_code == CURLE_OK) return int{SOCKGATE_OK};
    const auto code = static_cast<CURLcode>(curl_code);
    const std::string text = curl->adapter.Explain(static_cast<CURL*>(easy), code);
    const bool of_broker = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
                           code == CURLE_COULDNT_RESOLVE_PROXY;
    const ConnectError last =
        of_broker ? curl->adapter.LastError(static_cast<CURL*>(easy), code) : ConnectError();
    if (last.ok()) return Fail(error, SOCKGATE_TRANSFER, text);
    return Fail(error, last, text);
  });
}
