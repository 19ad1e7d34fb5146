#include "broker/resolver/resolver_config.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace sockgate {
namespace {

Endpoint Server(const char* address, uint16_t port) {
  return Endpoint::Ip(IpAddress::Parse(address).value(), port);
}

ResolverOptions WithResolvConf(const std::string& text) {
  ResolverOptions options;
  options.resolv_conf = ::testing::TempDir() + "/resolv.conf";
  options.hosts_file = "";
  std::ofstream(options.resolv_conf) << text;
  return options;
}

ResolverConfig Load(const ResolverOptions& options) {
  auto config = LoadResolverConfig(options);
  EXPECT_TRUE(config.ok()) << config.status();
  return config.ok() ? *std::move(config) : ResolverConfig();
}

TEST(ResolverConfig, TakesFromResolvConfWhatIsNotGiven) {
  const ResolverConfig config =
      Load(WithResolvConf("nameserver 192.0.2.1\nnameserver 2001:db8::53\n"
                          "search corp.example\noptions timeout:3 attempts:5 ndots:2\n"));
  EXPECT_EQ(config.servers,
            (std::vector<Endpoint>{Server("192.0.2.1", 53), Server("2001:db8::53", 53)}));
  EXPECT_EQ(config.timeout_ms, 3000U);
  EXPECT_EQ(config.tries, 5U);
  EXPECT_EQ(config.ndots, 2U);
  EXPECT_TRUE(config.search.empty()) << "the policy did not ask for it";
}

TEST(ResolverConfig, WhatIsGivenWins) {
  ResolverOptions options = WithResolvConf("nameserver 192.0.2.1\noptions timeout:3 ndots:2\n");
  options.servers = {Server("192.0.2.9", 5353), Server("192.0.2.8", 0)};
  options.timeout_ms = 150;
  options.tries = 2;
  options.ndots = 0;
  options.search = {"corp.example"};
  const ResolverConfig config = Load(options);
  EXPECT_EQ(config.servers,
            (std::vector<Endpoint>{Server("192.0.2.9", 5353), Server("192.0.2.8", 53)}));
  EXPECT_EQ(config.timeout_ms, 150U);
  EXPECT_EQ(config.tries, 2U);
  EXPECT_EQ(config.ndots, 0U);
  EXPECT_EQ(config.search, options.search);
}

TEST(ResolverConfig, WithoutAServerItIsThisMachine) {
  EXPECT_EQ(Load(WithResolvConf("")).servers, std::vector<Endpoint>{Server("127.0.0.1", 53)});
  ResolverOptions options;
  options.resolv_conf = "";
  options.hosts_file = "";
  EXPECT_EQ(Load(options).servers, std::vector<Endpoint>{Server("127.0.0.1", 53)});
}

TEST(ResolverConfig, NoServerTwiceAndNotTooMany) {
  EXPECT_EQ(Load(WithResolvConf("nameserver 192.0.2.1\nnameserver 192.0.2.1\n")).servers.size(),
            1U);
  std::string many;
  for (int i = 1; i <= 40; ++i) many += "nameserver 192.0.2." + std::to_string(i) + "\n";
  EXPECT_EQ(Load(WithResolvConf(many)).servers.size(), kMaxResolverServers);
}

TEST(ResolverConfig, ReadsTheHostsFile) {
  ResolverOptions options = WithResolvConf("");
  options.hosts_file = ::testing::TempDir() + "/hosts";
  std::ofstream(options.hosts_file) << "192.0.2.1 one\n";
  EXPECT_NE(Load(options).hosts.Find("one"), nullptr);
  options.hosts_file = ::testing::TempDir();
  EXPECT_FALSE(LoadResolverConfig(options).ok());
}

}  // namespace
}  // namespace sockgate
