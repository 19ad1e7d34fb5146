#include "tests/bench/tls_rate.h"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/launch/trust_store.h"
#include "tests/bench/bench_broker.h"
#include "tests/bench/fetch_sides.h"

namespace sockgate::bench {
namespace {

using launch::TrustStore;

constexpr size_t kAddresses = 4;

// What the system trusts, in a file that is removed with the object.
class Bundle {
 public:
  Bundle() {
    const char* folder = getenv("TEST_TMPDIR");
    path_ = absl::StrCat(folder != nullptr ? folder : "/tmp", "/tls-bench-XXXXXX");
    const int file = mkstemp(path_.data());
    if (file >= 0) close(file);
    std::ofstream(path_) << std::ifstream(curl_version_info(CURLVERSION_NOW)->cainfo).rdbuf();
  }
  ~Bundle() { unlink(path_.c_str()); }
  Bundle(const Bundle&) = delete;
  Bundle& operator=(const Bundle&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

ConfinedWay Way(const std::string& name, ConnectMode mode, const Bundle& bundle,
                TrustStore::Way trust) {
  ConfinedWay way;
  way.name = name;
  way.mode = mode;
  way.ca_file = bundle.path();
  way.trust = trust;
  return way;
}

absl::StatusOr<std::vector<FetchSide>> StartSides(const std::vector<std::string>& urls,
                                                  BenchBroker* broker, const Bundle& bundle) {
  const PlainWay plain[] = {{"plain libcurl", bundle.path(), false},
                            {"plain, without CAPATH", bundle.path(), true}};
  const ConfinedWay confined[] = {
      Way("sockgate, connected", ConnectMode::kConnected, bundle, TrustStore::Way::kBest),
      Way("sockgate, in progress", ConnectMode::kInProgress, bundle, TrustStore::Way::kBest),
      Way("the same, by text", ConnectMode::kInProgress, bundle, TrustStore::Way::kText)};
  std::vector<FetchSide> sides;
  for (const PlainWay& way : plain) {
    auto side = FetchSide::Plain(urls, way);
    if (!side.ok()) return side.status();
    sides.push_back(*std::move(side));
  }
  for (const ConfinedWay& way : confined) {
    auto side = FetchSide::Confined(urls, broker, way);
    if (!side.ok()) return side.status();
    sides.push_back(*std::move(side));
  }
  return sides;
}

}  // namespace

absl::StatusOr<RateTable> MeasureTlsRates(std::chrono::milliseconds budget) {
  const Bundle bundle;
  const auto server = FetchServer::Start(kAddresses, bundle.path());
  if (!server.ok()) return server.status();
  auto broker = BenchBroker::Start();
  if (!broker.ok()) return broker.status();
  const auto sides = StartSides(server->urls(), &*broker, bundle);
  if (!sides.ok()) return sides.status();
  return MeasureSides(*sides, {{1, 20}}, server->urls().size(), &*broker, budget);
}

}  // namespace sockgate::bench
