// The [resolver] table of a policy file.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/broker/policy/load_policy.h"

namespace sockgate::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The table's lines are from 3 on.
std::string With(absl::string_view lines) {
  return absl::StrCat("version = 1\n[resolver]\n", lines,
                      "\n[[listen]]\npath = \"/run/r\"\nrole = \"r\"\n[roles.r]\n"
                      "allow = [ { public = true, ports = 443 } ]\n");
}

TEST(PolicyResolverTest, WithoutATableAllIsTheSystems) {
  const LoadedPolicy loaded = ParsePolicy(With(""));
  ASSERT_TRUE(loaded.policy.has_value());
  const ResolverOptions& options = loaded.policy->resolver;
  EXPECT_THAT(options.servers, IsEmpty());
  EXPECT_FALSE(options.timeout_ms.has_value());
  EXPECT_EQ(options.hosts_file, "/etc/hosts");
}

TEST(PolicyResolverTest, ReadsEveryKey) {
  const LoadedPolicy loaded = ParsePolicy(
      With("servers = [\"127.0.0.1\", \"192.0.2.53:5353\", \"::1\", \"[::1]\", \"[::1]:54\"]\n"
           "timeout_ms = 1500\ntries = 3\nsearch = [\"Corp.example.\", \"lan\"]\nndots = 2\n"
           "hosts = \"/srv/hosts\"\nmin_ttl_s = 5\nmax_ttl_s = 600\n"
           "max_negative_ttl_s = 0"));
  EXPECT_THAT(InWords(loaded), ElementsAre("warning 8:9 '/srv/hosts' cannot be read here"
                                           " (make it readable to the broker)"));
  ASSERT_TRUE(loaded.policy.has_value());
  const ResolverOptions& options = loaded.policy->resolver;
  std::vector<std::string> servers;
  for (const Endpoint& server : options.servers) servers.push_back(server.ToString());
  EXPECT_THAT(servers,
              ElementsAre("127.0.0.1:0", "192.0.2.53:5353", "[::1]:0", "[::1]:0", "[::1]:54"));
  EXPECT_EQ(options.timeout_ms, 1500U);
  EXPECT_EQ(options.tries, 3U);
  EXPECT_THAT(options.search, ElementsAre("corp.example", "lan"));
  EXPECT_EQ(options.ndots, 2U);
  EXPECT_EQ(options.hosts_file, "/srv/hosts");
  EXPECT_EQ(options.ttl.least_s, 5U);
  EXPECT_EQ(options.ttl.most_s, 600U);
  EXPECT_EQ(options.ttl.most_negative_s, 0U);
}

TEST(PolicyResolverTest, AnEmptyPathIsNoFile) {
  EXPECT_EQ(ParsePolicy(With("hosts = \"\"")).policy.value().resolver.hosts_file, "");
}

TEST(PolicyResolverTest, WhatIsNoServerIsAnError) {
  for (const char* server :
       {"", "dns.example", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "[::1", "[::1]53",
        "[127.0.0.1]:53", "0.0.0.0", "::", "127.1", "1.2.3.4:5:6"}) {
    const Texts found = FindingsIn(With(absl::StrCat("servers = [\"", server, "\"]")));
    EXPECT_THAT(found, ElementsAre(absl::StrCat("error 3:12 '", server,
                                                "' is no name server (write an address, as in "
                                                "\"192.0.2.53\" or \"[2001:db8::53]:5353\")")))
        << server;
  }
}

TEST(PolicyResolverTest, SaysWhatElseIsWrong) {
  EXPECT_THAT(FindingsIn(With("tries = 0\ntimeout_ms = 60001\nserver = 1\nhosts = \"hosts\"")),
              ElementsAre("error 3:9 'tries' cannot be 0 (write 1 to 10)",
                          "error 4:14 'timeout_ms' cannot be 60001 (write 1 to 60000)",
                          "error 5:1 unknown key 'server' in [resolver] (write 'servers')",
                          "error 6:9 'hosts' is no absolute path (write the whole path, as in "
                          "\"/etc/hosts\", or \"\" for no file)"));
  EXPECT_THAT(FindingsIn("version = 1\nresolver = 1\n[roles.r]\n"),
              ::testing::Contains("error 2:12 'resolver' must be a table, not an integer"
                                  " (write resolver = { ... })"));
}

TEST(PolicyResolverTest, TheLeastTimeIsNoMoreThanTheMost) {
  EXPECT_THAT(FindingsIn(With("max_ttl_s = 60\nmin_ttl_s = 61")),
              ElementsAre("error 4:13 'min_ttl_s' is more than 'max_ttl_s' (write at most 60)"));
  EXPECT_THAT(FindingsIn(With("max_ttl_s = 604801\nmax_negative_ttl_s = 604801")).size(), 2U);
  EXPECT_THAT(FindingsIn(With("max_ttl_s = 60\nmin_ttl_s = 60")), IsEmpty());
}

TEST(PolicyResolverTest, TooMany) {
  std::string servers;
  for (int i = 0; i < 17; ++i) absl::StrAppend(&servers, "\"192.0.2.", i + 1, "\", ");
  EXPECT_THAT(FindingsIn(With(absl::StrCat("servers = [", servers, "]"))),
              ElementsAre("error 3:11 'servers' has too many (write at most 16)"));
  EXPECT_THAT(FindingsIn(With("search = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\"]")),
              ElementsAre("error 3:10 'search' has too many (write at most 6)"));
}

TEST(PolicyResolverTest, ASearchDomainIsAName) {
  EXPECT_EQ(FindingsIn(With("search = \"127.0.0.1\"")).size(), 1U);
  EXPECT_EQ(FindingsIn(With("search = \"a b\"")).size(), 1U);
}

}  // namespace
}  // namespace sockgate::testing
