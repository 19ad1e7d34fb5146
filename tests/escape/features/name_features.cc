// Names: through the name shim, and without it.

#include <string>

#include "absl/strings/str_cat.h"
#include "client/name_shim.h"
#include "tests/escape/features/easy.h"
#include "tests/escape/features/features.h"
#include "tests/support/http_routes.h"

namespace sockgate::escape {
namespace {

using testing::kHelloBody;

// For one feature's time.
class Shim {
 public:
  explicit Shim(BrokerClient* client) { SOCKGATE_CHECK(ArmNameShim(client).ok()); }
  ~Shim() { DisarmNameShim(); }
  Shim(const Shim&) = delete;
  Shim& operator=(const Shim&) = delete;
};

std::string Name(BrokerClient& client, const Places& places) {
  const Shim shim(&client);
  CurlAdapter adapter(&client, InMode(ConnectMode::kInProgress));
  Easy easy(adapter, places.named_http + "/hello");
  return easy.Want(200, kHelloBody);
}

std::string RedirectToName(BrokerClient& client, const Places& places) {
  const Shim shim(&client);
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, absl::StrCat(places.http, "/redirect?to=", places.named_http, "/hello"));
  easy.Set(CURLOPT_FOLLOWLOCATION, 1L);
  return easy.Want(200, kHelloBody);
}

std::string NameLookedUpAhead(BrokerClient& client, const Places& places) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  const std::string url = places.named_http + "/hello";
  Easy easy(adapter, url);
  const AheadResult ahead = adapter.ResolveAhead(easy.get(), url);
  return ahead.error.ok() ? easy.Want(200, kHelloBody) : ahead.ToString();
}

// Without the shim: the resolver's thread finds no file and gets no socket.
std::string NameThatNobodyKnows(BrokerClient& client, const Places&) {
  CurlAdapter adapter(&client, InMode(ConnectMode::kConnected));
  Easy easy(adapter, "http://nowhere.test/");
  return easy.WantCode(CURLE_COULDNT_RESOLVE_HOST);
}

}  // namespace

std::vector<Feature> NameFeatures() {
  return {
      {"Name", Name},
      {"RedirectToName", RedirectToName},
      {"NameLookedUpAhead", NameLookedUpAhead},
      {"NameThatNobodyKnows", NameThatNobodyKnows},
  };
}

}  // namespace sockgate::escape
