// HTTP in the clear: connections kept and reused, redirects, cookies, encodings, uploads, answers
// to a 401.

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/escape/features/easy.h"
#include "tests/escape/features/features.h"
#include "tests/support/byte_pattern.h"
#include "tests/support/http_routes.h"

namespace sockgate::escape {
namespace {

using testing::kHelloBody;
using testing::PatternBytes;

constexpr size_t kMebibyte = size_t{1} << 20;

std::string KeepAlive(BrokerClient& client, const Places& places) {
  int opened = 0;
  CurlAdapterOptions options = InMode(ConnectMode::kConnected);
  options.on_connect = [&](CURL*, const Endpoint&, const ConnectResult&) { ++opened; };
  CurlAdapter adapter(&client, options);
  Easy easy(adapter, places.http + "/hello");
  for (int i = 0; i < 3; ++i) {
    if (std::string text = easy.Want(200, kHelloBody); text != "ok") return text;
  }
  return opened == 1 ? "ok" : absl::StrCat("connections: ", opened);
}

std::string Redirects(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, absl::StrCat(places.http, "/redirect?to=", places.http,
                                  "/redirect?to=", places.http, "/hello"));
  easy.Set(CURLOPT_FOLLOWLOCATION, 1L);
  std::string text = easy.Want(200, kHelloBody);
  if (text != "ok") return text;
  const long hops = easy.Info(CURLINFO_REDIRECT_COUNT);
  return hops == 2 ? "ok" : absl::StrCat("redirects: ", hops);
}

std::string Cookies(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.http + "/cookie");
  easy.Set(CURLOPT_COOKIEFILE, "");
  const std::string first = easy.Want(200, "");
  return first == "ok" ? easy.Want(200, "taste=salty") : first;
}

// The files for cookies cannot be opened, which is libcurl's to bear.
std::string CookieFiles(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.http + "/hello");
  easy.Set(CURLOPT_COOKIEFILE, "/nonexistent/cookies");
  easy.Set(CURLOPT_COOKIEJAR, "/nonexistent/cookies");
  return easy.Want(200, kHelloBody);
}

std::string Compression(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  for (const char* coding : {"gzip", "deflate", "br", "zstd"}) {
    Easy easy(adapter, absl::StrCat(places.http, "/encoded/", coding));
    easy.Set(CURLOPT_ACCEPT_ENCODING, "");  // whatever this libcurl knows
    const std::string text = easy.Want(200, testing::kEncodedBody);
    if (text != "ok") return absl::StrCat(coding, ": ", text);
  }
  return "ok";
}

std::string PostedForm(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.http + "/echo");
  easy.Set(CURLOPT_POSTFIELDS, "a=1&b=2");
  return easy.Want(200, "a=1&b=2");
}

struct Upload {
  std::string bytes;
  size_t sent = 0;
};

size_t SendMore(char* buffer, size_t size, size_t count, void* state) {
  auto* upload = static_cast<Upload*>(state);
  const size_t copied = upload->bytes.copy(buffer, size * count, upload->sent);
  upload->sent += copied;
  return copied;
}

std::string PutWithExpect(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Upload upload{PatternBytes(kMebibyte)};
  Easy easy(adapter, places.http + "/echo");
  easy.Set(CURLOPT_UPLOAD, 1L);
  easy.Set(CURLOPT_READFUNCTION, &SendMore);
  easy.Set(CURLOPT_READDATA, &upload);
  easy.Set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(kMebibyte));
  easy.AddHeader("Expect: 100-continue");
  return easy.Want(200, upload.bytes);
}

std::string MimeForm(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, places.http + "/echo");
  curl_mime* mime = curl_mime_init(easy.get());
  curl_mimepart* part = curl_mime_addpart(mime);
  curl_mime_name(part, "letter");
  curl_mime_filename(part, "letter.txt");
  curl_mime_data(part, "dear broker", CURL_ZERO_TERMINATED);
  easy.Set(CURLOPT_MIMEPOST, mime);
  const CURLcode code = easy.Perform();
  easy.Set(CURLOPT_MIMEPOST, static_cast<curl_mime*>(nullptr));
  curl_mime_free(mime);
  const bool whole = absl::StrContains(easy.body(), "filename=\"letter.txt\"") &&
                     absl::StrContains(easy.body(), "\r\n\r\ndear broker\r\n--");
  return code == CURLE_OK && whole ? "ok" : absl::StrCat("code ", code, ": ", easy.body());
}

std::string AnswerChallenge(BrokerClient& client, const std::string& url, long scheme) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, url);
  easy.Set(CURLOPT_HTTPAUTH, scheme);
  easy.Set(CURLOPT_USERPWD, "user:secret");
  return easy.Want(200, testing::kWelcomeBody);
}

std::string Digest(BrokerClient& client, const Places& places) {
  return AnswerChallenge(client, places.http + "/digest", CURLAUTH_DIGEST);
}

std::string Ntlm(BrokerClient& client, const Places& places) {
  return AnswerChallenge(client, places.http + "/ntlm", CURLAUTH_NTLM);
}

std::string LargeDownload(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, absl::StrCat(places.http, "/bytes/", 32 * kMebibyte));
  return easy.Want(200, PatternBytes(32 * kMebibyte));
}

}  // namespace

std::vector<Feature> HttpFeatures() {
  return {
      {"KeepAlive", KeepAlive},
      {"Redirects", Redirects},
      {"Cookies", Cookies},
      {"CookieFiles", CookieFiles},
      {"Compression", Compression},
      {"PostedForm", PostedForm},
      {"PutWithExpect", PutWithExpect},
      {"MimeForm", MimeForm},
      {"Digest", Digest},
      {"Ntlm", Ntlm},
      {"LargeDownload", LargeDownload},
  };
}

}  // namespace sockgate::escape
