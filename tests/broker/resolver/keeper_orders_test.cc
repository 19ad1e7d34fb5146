#include "broker/resolver/keeper_orders.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"

namespace sockgate {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Encoded(const KeeperOrder& order) {
  Bytes bytes(kMaxKeeperOrderBytes);
  bytes.resize(EncodeKeeperOrder(order, absl::MakeSpan(bytes)));
  return bytes;
}

ResolverOptions LongestOptions() {
  ResolverOptions options;
  for (size_t i = 0; i < kMaxResolverServers; ++i) {
    options.servers.push_back(Endpoint::Ip(IpAddress::V4({192, 0, 2, 1}), 0));
  }
  options.timeout_ms = kMaxResolverTimeoutMs;
  options.tries = kMaxResolverTries;
  options.ndots = kMaxNdots;
  for (size_t i = 0; i < kMaxSearchDomains; ++i) options.search.emplace_back(kMaxNameBytes, 'a');
  options.resolv_conf = std::string(kMaxResolverPathBytes, 'r');
  options.hosts_file = std::string(kMaxResolverPathBytes, 'h');
  return options;
}

TEST(KeeperOrders, TheLongestOptionsComeBackAsTheyWere) {
  const ResolverOptions options = LongestOptions();
  KeeperOrder order;
  ASSERT_TRUE(DecodeKeeperOrder(Encoded({options}), &order).ok());
  ASSERT_TRUE(order.options.has_value());
  EXPECT_EQ(order.options->servers, options.servers);
  EXPECT_EQ(order.options->timeout_ms, options.timeout_ms);
  EXPECT_EQ(order.options->tries, options.tries);
  EXPECT_EQ(order.options->ndots, options.ndots);
  EXPECT_EQ(order.options->search, options.search);
  EXPECT_EQ(order.options->resolv_conf, options.resolv_conf);
  EXPECT_EQ(order.options->hosts_file, options.hosts_file);
}

TEST(KeeperOrders, WhatIsNotGivenStaysOut) {
  KeeperOrder order;
  ASSERT_TRUE(DecodeKeeperOrder(Encoded({ResolverOptions()}), &order).ok());
  EXPECT_FALSE(order.options->timeout_ms.has_value());
  ASSERT_TRUE(DecodeKeeperOrder(Encoded({}), &order).ok());
  EXPECT_FALSE(order.options.has_value());
}

TEST(KeeperOrders, IsTotal) {
  ResolverOptions options;
  options.servers = {Endpoint::Ip(IpAddress::V4({192, 0, 2, 1}), 53)};
  options.search = {"example"};
  options.tries = 3;
  const Bytes valid = Encoded({options});
  KeeperOrder order;
  for (size_t size = 0; size < valid.size(); ++size) {
    EXPECT_FALSE(DecodeKeeperOrder(absl::MakeConstSpan(valid).first(size), &order).ok()) << size;
  }
  for (size_t at = 0; at < valid.size(); ++at) {
    for (int flip = 1; flip < 256; ++flip) {
      Bytes changed = valid;
      changed[at] ^= static_cast<uint8_t>(flip);
      if (DecodeKeeperOrder(changed, &order).ok()) {
        ASSERT_EQ(Encoded(order), changed) << at;
      }
    }
  }
}

TEST(ResolverOptions, WhatIsOutOfBoundsIsNamed) {
  const auto fault = [](const std::function<void(ResolverOptions*)>& change) {
    ResolverOptions options;
    change(&options);
    return std::string(CheckResolverOptions(options).message());
  };
  EXPECT_TRUE(CheckResolverOptions(ResolverOptions()).ok());
  EXPECT_TRUE(CheckResolverOptions(LongestOptions()).ok());
  using O = ResolverOptions*;
  EXPECT_TRUE(absl::StrContains(fault([](O o) { o->servers.resize(17); }), "servers"));
  EXPECT_TRUE(absl::StrContains(fault([](O o) { o->servers = {Endpoint::Unix("/x").value()}; }),
                                "servers"));
  EXPECT_TRUE(absl::StrContains(fault([](O o) { o->timeout_ms = 0; }), "timeout_ms"));
  EXPECT_TRUE(absl::StrContains(fault([](O o) { o->timeout_ms = 60'001; }), "timeout_ms"));
  EXPECT_TRUE(absl::StrContains(fault([](O o) { o->tries = 0; }), "tries"));
  EXPECT_TRUE(absl::StrContains(fault([](O o) { o->tries = 11; }), "tries"));
  EXPECT_TRUE(absl::StrContains(fault([](O o) { o->ndots = 16; }), "ndots"));
  EXPECT_TRUE(absl::StrContains(fault([](O o) { o->search.resize(7, "a"); }), "search"));
  EXPECT_TRUE(absl::StrContains(fault([](O o) { o->search = {"a b"}; }), "search"));
  EXPECT_TRUE(absl::StrContains(fault([](O o) { o->search = {""}; }), "search"));
  EXPECT_TRUE(absl::StrContains(fault([](O o) { o->resolv_conf = std::string(1025, 'a'); }),
                                "resolv_conf"));
  EXPECT_TRUE(
      absl::StrContains(fault([](O o) { o->hosts_file = std::string("a\0b", 3); }), "hosts_file"));
}

}  // namespace
}  // namespace sockgate
