#include "broker/resolver/resolver_config.h"

#include <ares.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace sockgate {
namespace {

constexpr uint16_t kDnsPort = 53;

// As the C library caps them: resolv.conf(5), "timeout" and "attempts".
constexpr int kMostSeconds = 30;
constexpr int kMostAttempts = 5;

using Channel = std::unique_ptr<std::remove_pointer_t<ares_channel>, void (*)(ares_channel)>;

absl::Status AresError(int status, absl::string_view what) {
  return absl::InternalError(absl::StrCat(what, ": ", ares_strerror(status)));
}

absl::StatusOr<Channel> ReadResolvConf(const std::string& path) {
  std::string lookups = "b";
  std::string file = path.empty() ? "/dev/null" : path;
  ares_options options = {};
  options.lookups = lookups.data();
  options.resolvconf_path = file.data();
  ares_channel channel = nullptr;
  const int status = ares_init_options(&channel, &options, ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF);
  if (status != ARES_SUCCESS) return AresError(status, path);
  return Channel(channel, &ares_destroy);
}

Endpoint ToEndpoint(const ares_addr_port_node& node) {
  const auto port = static_cast<uint16_t>(node.udp_port == 0 ? kDnsPort : node.udp_port);
  if (node.family == AF_INET) {
    IpAddress::V4Bytes bytes;
    std::memcpy(bytes.data(), &node.addr.addr4, bytes.size());
    return Endpoint::Ip(IpAddress::V4(bytes), port);
  }
  IpAddress::V6Bytes bytes;
  std::memcpy(bytes.data(), &node.addr.addr6, bytes.size());
  return Endpoint::Ip(IpAddress::V6(bytes), port);
}

absl::StatusOr<std::vector<Endpoint>> ServersOf(ares_channel channel) {
  ares_addr_port_node* nodes = nullptr;
  const int status = ares_get_servers_ports(channel, &nodes);
  if (status != ARES_SUCCESS) return AresError(status, "name servers");
  std::vector<Endpoint> servers;
  for (const ares_addr_port_node* node = nodes; node != nullptr; node = node->next) {
    servers.push_back(ToEndpoint(*node));
  }
  ares_free_data(nodes);
  return servers;
}

bool SameAddress(const Endpoint& a, const Endpoint& b) {
  return a.ip() == b.ip() && a.port() == b.port();
}

// c-ares says which server it wants by address and port, so no two may share them.
std::vector<Endpoint> Usable(const std::vector<Endpoint>& given) {
  std::vector<Endpoint> servers;
  for (const Endpoint& server : given) {
    const uint16_t port = server.port() == 0 ? kDnsPort : server.port();
    const Endpoint usable = Endpoint::Ip(server.ip(), port, server.scope_id());
    const bool again = std::any_of(servers.begin(), servers.end(), [&](const Endpoint& known) {
      return SameAddress(known, usable);
    });
    if (!again && servers.size() < kMaxResolverServers) servers.push_back(usable);
  }
  if (servers.empty()) servers.push_back(Endpoint::Ip(IpAddress::V4({127, 0, 0, 1}), kDnsPort));
  return servers;
}

uint32_t Choose(const std::optional<uint32_t>& given, int read, uint32_t least, uint32_t most) {
  if (given.has_value()) return *given;
  return std::clamp(static_cast<uint32_t>(std::max(read, 0)), least, most);
}

// The options of resolv.conf(5) that c-ares 1.18 does not know, into what it did read.
void ReadTimeAndTries(const std::string& path, ares_options* read) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (words.empty() || words[0] != "options") continue;
    for (absl::string_view word : words) {
      int value = 0;
      if (absl::ConsumePrefix(&word, "timeout:") && absl::SimpleAtoi(word, &value)) {
        read->timeout = 1000 * std::clamp(value, 1, kMostSeconds);
      } else if (absl::ConsumePrefix(&word, "attempts:") && absl::SimpleAtoi(word, &value)) {
        read->tries = std::clamp(value, 1, kMostAttempts);
      }
    }
  }
}

}  // namespace

absl::StatusOr<ResolverConfig> LoadResolverConfig(const ResolverOptions& options) {
  const absl::StatusOr<Channel> channel = ReadResolvConf(options.resolv_conf);
  if (!channel.ok()) return channel.status();
  const auto read_servers = ServersOf(channel->get());
  if (!read_servers.ok()) return read_servers.status();
  ares_options read = {};
  int present = 0;
  const int status = ares_save_options(channel->get(), &read, &present);
  if (status != ARES_SUCCESS) return AresError(status, options.resolv_conf);
  ReadTimeAndTries(options.resolv_conf, &read);

  ResolverConfig config;
  config.servers = Usable(options.servers.empty() ? *read_servers : options.servers);
  config.timeout_ms = Choose(options.timeout_ms, read.timeout, 1, kMaxResolverTimeoutMs);
  config.tries = Choose(options.tries, read.tries, 1, kMaxResolverTries);
  config.ndots = Choose(options.ndots, read.ndots, 0, kMaxNdots);
  config.search = options.search;
  ares_destroy_options(&read);
  if (!options.hosts_file.empty()) {
    absl::StatusOr<HostsTable> hosts = HostsTable::Load(options.hosts_file);
    if (!hosts.ok()) return hosts.status();
    config.hosts = *std::move(hosts);
  }
  return config;
}

}  // namespace sockgate
