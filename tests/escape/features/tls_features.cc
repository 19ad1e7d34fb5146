// TLS: one server's certificate among all that the system trusts, given in both ways. And HTTP/2.

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/escape/features/easy.h"
#include "tests/escape/features/features.h"
#include "tests/escape/features/nghttpd.h"
#include "tests/support/byte_pattern.h"
#include "tests/support/http_routes.h"

namespace sockgate::escape {
namespace {

using testing::kHelloBody;

void TrustText(const Places& places, Easy* easy) {
  curl_blob pem = {const_cast<char*>(places.trust_pem.data()), places.trust_pem.size(),
                   CURL_BLOB_NOCOPY};
  easy->Set(CURLOPT_CAINFO_BLOB, &pem);
}

std::string HttpsByTrustStore(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.https + "/hello");
  if (!places.trust->Attach(easy.get()).ok()) return "no trust";
  return easy.Want(200, kHelloBody);
}

std::string HttpsByText(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.https + "/hello");
  TrustText(places, &easy);
  return easy.Want(200, kHelloBody);
}

std::string SessionResumed(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.https + "/hello");
  TrustText(places, &easy);
  easy.Set(CURLOPT_FORBID_REUSE, 1L);
  const std::string first = easy.Want(200, kHelloBody);
  return first == "ok" ? easy.Want(200, kHelloBody) : first;
}

std::string Http2(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.http2 + "/page");
  easy.Set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
  if (!places.trust->Attach(easy.get()).ok()) return "no trust";
  std::string text = easy.Want(200, kPageBody);
  if (text != "ok") return text;
  const long version = easy.Info(CURLINFO_HTTP_VERSION);
  return version == CURL_HTTP_VERSION_2_0 ? "ok" : absl::StrCat("version: ", version);
}

std::string Http2Upload(BrokerClient& client, const Places& places) {
  const std::string bytes = testing::PatternBytes(size_t{1} << 20);
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.http2 + "/echo");
  easy.Set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
  easy.Set(CURLOPT_POSTFIELDSIZE, static_cast<long>(bytes.size()));
  easy.Set(CURLOPT_POSTFIELDS, bytes.data());
  if (!places.trust->Attach(easy.get()).ok()) return "no trust";
  return easy.Want(200, bytes);
}

// libcurl's own choice of trust is a file, which cannot be read.
std::string TrustFileThatCannotBeOpened(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.https + "/hello");
  return easy.WantCode(CURLE_SSL_CACERT_BADFILE);
}

}  // namespace

std::vector<Feature> TlsFeatures() {
  return {
      {"HttpsByTrustStore", HttpsByTrustStore},
      {"HttpsByText", HttpsByText},
      {"SessionResumed", SessionResumed},
      {"Http2", Http2},
      {"Http2Upload", Http2Upload},
      {"TrustFileThatCannotBeOpened", TrustFileThatCannotBeOpened},
  };
}

}  // namespace sockgate::escape
