#include "tests/escape/features/world.h"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "broker/policy/host_pattern.h"
#include "broker/policy/role.h"
#include "proto/check.h"
#include "proto/endpoint.h"

namespace sockgate::escape {
namespace {

constexpr char kName[] = "feature.test";
constexpr char kHosts[] = "hosts";
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

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  SOCKGATE_CHECK(file.good());
}

std::string At(uint16_t port) { return absl::StrCat("127.0.0.1:", port); }

Role WorldRole() {
  Rule name = {Decision::kAllow, HostPattern::Parse(kName).value(), *PortSet::Parse("*")};
  name.private_addresses = true;
  Role role;
  role.name = "test";
  role.policy = Policy({name, *Rule::Parse(Decision::kAllow, "127.0.0.1:*")});
  return role;
}

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
  WriteFile(folder_ / kHosts, absl::StrCat("127.0.0.1 ", kName, "\n"));
  places_.http = plain_.Url("");
  places_.named_http = absl::StrCat("http://", kName, ":", plain_.port());
  places_.https = secure_.Url("");
  places_.http2 = absl::StrCat("https://", At(http2_.port()));
  places_.ftp = absl::StrCat("ftp://", At(side_.ports().ftp));
  places_.tunnel = At(side_.ports().tunnel);
  places_.echo = absl::StrCat("http://", At(side_.ports().echo));
  Trust(absl::StrCat(ReadFile(kSystemBundle), secure_.certificate_pem(), http2_.certificate_pem()),
        &places_);
}

WorldTest::WorldTest() : world_(OnlyWorld()), places_(world_.places()) {}

BrokerProcess World::StartBroker() const {
  BrokerOptions options;
  options.roles.push_back(WorldRole());
  options.resolver.emplace();
  options.resolver->resolv_conf = "";
  options.resolver->hosts_file = folder_ / kHosts;
  // Nobody answers there, so that no name but that of the file is known.
  options.resolver->servers = {Endpoint::Ip(*IpAddress::Parse("127.0.0.1"), 1)};
  auto broker = BrokerProcess::Start(std::move(options));
  SOCKGATE_CHECK(broker.ok());
  return *std::move(broker);
}

std::string FeatureName(const ::testing::TestParamInfo<Feature>& feature) {
  return feature.param.name;
}

}  // namespace sockgate::escape
