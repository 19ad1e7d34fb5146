#include "tests/escape/features/world.h"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/check.h"
#include "tests/integration/confined.h"

namespace sockgate::escape {
namespace {

constexpr char kSystemBundle[] = "/etc/ssl/certs/ca-certificates.crt";

testing::LoopbackServer::Options Options(bool tls) {
  testing::LoopbackServer::Options options;
  options.tls = tls;
  return options;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  SOCKGATE_CHECK(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string At(uint16_t port) { return absl::StrCat("127.0.0.1:", port); }

void Trust(std::string pem, Places* places) {
  places->trust_pem = std::move(pem);
  auto trust = launch::TrustStore::FromPem(places->trust_pem, "the features' trust");
  SOCKGATE_CHECK(trust.ok());
  places->trust = *std::move(trust);
}

const World& OnlyWorld() {
  static const World world;
  return world;
}

}  // namespace

World::World() : plain_(Options(false)), secure_(Options(true)) {
  places_.http = plain_.Url("");
  places_.https = secure_.Url("");
  places_.http2 = absl::StrCat("https://", At(http2_.port()));
  places_.ftp = absl::StrCat("ftp://", At(side_.ports().ftp));
  places_.tunnel = At(side_.ports().tunnel);
  places_.echo = absl::StrCat("http://", At(side_.ports().echo));
  Trust(absl::StrCat(ReadFile(kSystemBundle), secure_.certificate_pem(), http2_.certificate_pem()),
        &places_);
}

WorldTest::WorldTest() : places_(OnlyWorld().places()) {}

BrokerProcess StartFeatureBroker() { return testing::StartBroker({"127.0.0.1:*"}); }

std::string FeatureName(const ::testing::TestParamInfo<Feature>& feature) {
  return feature.param.name;
}

}  // namespace sockgate::escape
