// Options that make libcurl call the system in other ways, or not succeed.

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/escape/features/easy.h"
#include "tests/escape/features/features.h"
#include "tests/support/http_routes.h"

namespace sockgate::escape {
namespace {

using testing::kHelloBody;

std::string Timeout(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.http + "/slow/60000");
  easy.Set(CURLOPT_TIMEOUT_MS, 200L);
  return easy.WantCode(CURLE_OPERATION_TIMEDOUT);
}

// To standard error, as without a callback of one's own.
std::string Verbose(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.http + "/hello");
  easy.Set(CURLOPT_VERBOSE, 1L);
  return easy.Want(200, kHelloBody);
}

std::string Interface(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.http + "/hello");
  easy.Set(CURLOPT_INTERFACE, "127.0.0.1");
  return easy.WantCode(CURLE_INTERFACE_FAILED);
}

std::string InterfaceByName(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.http + "/hello");
  easy.Set(CURLOPT_INTERFACE, "if!lo");
  return easy.WantCode(CURLE_INTERFACE_FAILED);
}

std::string KeepAliveProbes(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.http + "/hello");
  easy.Set(CURLOPT_TCP_KEEPALIVE, 1L);
  return easy.Want(200, kHelloBody);
}

std::string LimitedSpeed(BrokerClient& client, const Places& places) {
  constexpr curl_off_t kBytesASecond = 512 << 10;
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.http + "/bytes/0");
  easy.Set(CURLOPT_MAX_RECV_SPEED_LARGE, kBytesASecond);
  easy.Set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  easy.Set(CURLOPT_LOW_SPEED_TIME, 10L);
  return easy.Want(200, "");
}

std::string RefusedConnection(BrokerClient& client, const Places&) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kInProgress));
  Easy easy(adapter, "http://127.0.0.1:1/");
  return easy.WantCode(CURLE_COULDNT_CONNECT);
}

}  // namespace

std::vector<Feature> OptionFeatures() {
  return {
      {"Timeout", Timeout},
      {"Verbose", Verbose},
      {"Interface", Interface},
      {"InterfaceByName", InterfaceByName},
      {"KeepAliveProbes", KeepAliveProbes},
      {"LimitedSpeed", LimitedSpeed},
      {"RefusedConnection", RefusedConnection},
  };
}

}  // namespace sockgate::escape
