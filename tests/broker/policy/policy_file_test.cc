// What a policy file says, and how it is read. Its errors and warnings have tests of their own.

#include "broker/policy/policy_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>

#include "tests/broker/policy/load_policy.h"
#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kWhole[] = R"(
version = 1
deny_own_addresses = true
[[listen]]
path = "/run/sockgate/crawler"
role = "crawler"
owner = "root"
group = 1234
mode = "0660"
[[listen]]
path = "/run/sockgate/other"
role = "crawler"
[roles.crawler]
mode = "report"
require_confined = true
track = true
peers = { users = ["root", 1000], groups = [2000] }
deny = [ { cidr = "192.0.2.66" } ]
allow = [
  { public = true, ports = [80, "8000-8100"] },
  { host = ["*.example.com", "Bücher.example"], ports = "443", private = true },
  { cidr = ["192.0.2.0/24", "2001:db8::/32"], ports = "*", transport = "any" },
  { unix = "/run/app/socket" },
]
[roles.crawler.limits]
max_outstanding = 1
max_pending = 2
max_channels = 3
max_lookups = 13
lookups_per_second = 14
lookup_burst = 15
max_leases = 14
lease_grace_ms = 0
unread_patience_ms = 4
connects_per_second = 5
connect_burst = 6
max_deadline_ms = 7
max_connections = 16
max_connection_age_s = 17
[roles.crawler.total]
max_workers = 21
max_channels = 22
max_pending = 23
max_lookups = 24
connects_per_second = 25
lookups_per_second = 26
lookup_burst = 27
[roles.crawler.sockets]
source = ["192.0.2.7", "2001:db8::7"]
interface = "eth0"
mark = 8
tos = 9
keepalive = { idle_s = 10, interval_s = 11, probes = 12 }
user_timeout_ms = 13
congestion_control = "bbr"
)";

const LoadedPolicy& Whole() {
  static const LoadedPolicy loaded = ParsePolicy(kWhole);
  return loaded;
}

std::vector<std::string> RulesOf(const Role& role) {
  std::vector<std::string> rules;
  for (const Rule& rule : role.policy.rules()) {
    rules.push_back(absl::StrCat(rule.line, ": ", rule.ToString()));
  }
  return rules;
}

TEST(PolicyFileTest, NumbersRulesInTheOrderOfTheFile) {
  EXPECT_THAT(RulesOf(RoleOf(Whole(), "crawler")),
              ElementsAre("18: deny 192.0.2.66/32 all ports tcp and udp",
                          "20: allow public ports 80,8000-8100 tcp",
                          "21: allow *.example.com ports 443 tcp private",
                          "21: allow xn--bcher-kva.example ports 443 tcp private",
                          "22: allow 192.0.2.0/24 all ports tcp and udp",
                          "22: allow 2001:db8::/32 all ports tcp and udp",
                          "23: allow unix /run/app/socket"));
}

TEST(PolicyFileTest, ReadsARole) {
  const Role& role = RoleOf(Whole(), "crawler");
  EXPECT_EQ(role.policy.mode(), PolicyMode::kReport);
  EXPECT_TRUE(role.require_confined);
  EXPECT_THAT(role.peers.uids, ElementsAre(0, 1000));
  EXPECT_THAT(role.peers.gids, ElementsAre(2000));
  EXPECT_EQ(role.limits.max_outstanding, 1);
  EXPECT_EQ(role.limits.max_pending, 2U);
  EXPECT_EQ(role.limits.max_channels, 3U);
  EXPECT_EQ(role.limits.max_lookups, 13U);
  EXPECT_EQ(role.limits.lookups_per_second, 14U);
  EXPECT_EQ(role.limits.lookup_burst, 15U);
  EXPECT_EQ(role.limits.max_leases, 14U);
  EXPECT_EQ(role.limits.lease_grace_ms, 0U);
  EXPECT_EQ(role.limits.unread_patience_ms, 4U);
  EXPECT_EQ(role.limits.connects_per_second, 5U);
  EXPECT_EQ(role.limits.connect_burst, 6U);
  EXPECT_EQ(role.limits.max_deadline_ms, 7U);
  EXPECT_TRUE(role.track);
  EXPECT_EQ(role.limits.max_connections, 16U);
  EXPECT_EQ(role.limits.max_connection_age_s, 17U);
  EXPECT_EQ(role.totals.max_workers, 21U);
  EXPECT_EQ(role.totals.max_channels, 22U);
  EXPECT_EQ(role.totals.max_pending, 23U);
  EXPECT_EQ(role.totals.max_lookups, 24U);
  EXPECT_EQ(role.totals.connects_per_second, 25U);
  EXPECT_EQ(role.totals.connect_burst, 25U) << "that of a second";
  EXPECT_EQ(role.totals.lookups_per_second, 26U);
  EXPECT_EQ(role.totals.lookup_burst, 27U);
}

TEST(PolicyFileTest, TheBrokersLimits) {
  const auto with = [](const char* limits) {
    return ParsePolicy(absl::StrCat("version = 1\n", limits, "\n[roles.r]\n")).policy->limits;
  };
  EXPECT_EQ(with("").max_descriptors, 0U);
  EXPECT_EQ(with("").max_memory_mib, 1024U);
  EXPECT_EQ(with("limits = { max_descriptors = 7, max_memory_mib = 0 }").max_descriptors, 7U);
  EXPECT_EQ(with("limits = { max_memory_mib = 0 }").max_memory_mib, 0U);
}

TEST(PolicyFileTest, ReadsSocketOptions) {
  const SocketOptions& options = RoleOf(Whole(), "crawler").socket_options;
  EXPECT_EQ(options.source_v4->ToString(), "192.0.2.7");
  EXPECT_EQ(options.source_v6->ToString(), "2001:db8::7");
  EXPECT_EQ(options.interface, "eth0");
  EXPECT_EQ(options.mark, 8U);
  EXPECT_EQ(options.tos, 9);
  EXPECT_EQ(options.keepalive->idle_s, 10U);
  EXPECT_EQ(options.keepalive->interval_s, 11U);
  EXPECT_EQ(options.keepalive->probes, 12U);
  EXPECT_EQ(options.user_timeout_ms, 13U);
  EXPECT_EQ(options.congestion_control, "bbr");
}

TEST(PolicyFileTest, ReadsWhereToListen) {
  const std::vector<ListenAt>& listen = Whole().policy.value().listen;
  ASSERT_EQ(listen.size(), 2U);
  EXPECT_EQ(listen[0].path, "/run/sockgate/crawler");
  EXPECT_EQ(listen[0].role, "crawler");
  EXPECT_EQ(listen[0].owner, 0U);
  EXPECT_EQ(listen[0].group, 1234U);
  EXPECT_EQ(listen[0].mode, 0660U);
  EXPECT_EQ(listen[0].line, 4U);
  EXPECT_EQ(listen[1].owner, std::nullopt);
  EXPECT_EQ(listen[1].group, std::nullopt);
  EXPECT_EQ(listen[1].mode, 0600U);
}

TEST(PolicyFileTest, WhatIsNotWrittenHasItsDefault) {
  const LoadedPolicy loaded = ParsePolicy("version = 1\n[roles.r]\n");
  const Role& role = RoleOf(loaded, "r");
  EXPECT_EQ(role.policy.mode(), PolicyMode::kEnforce);
  EXPECT_FALSE(role.require_confined);
  EXPECT_FALSE(role.track);
  EXPECT_EQ(role.limits.max_connections, 1024U);
  EXPECT_EQ(role.limits.max_connection_age_s, 0U);
  EXPECT_TRUE(role.peers.anyone());
  EXPECT_EQ(role.limits.max_outstanding, Limits().max_outstanding);
  EXPECT_EQ(role.limits.connects_per_second, 0U);
  EXPECT_EQ(role.limits.connect_burst, 0U);
  EXPECT_FALSE(role.socket_options.keepalive.has_value());
  EXPECT_FALSE(role.socket_options.source_v4.has_value());
  EXPECT_TRUE(role.socket_options.interface.empty());
}

TEST(PolicyFileTest, WhatBecomesOfRequestsWhenTheAuditLogIsFull) {
  const std::string role = "[roles.r]\n";
  EXPECT_EQ(ParsePolicy("version = 1\n" + role).policy->audit_overflow, AuditOverflow::kDeny);
  for (const auto& [word, overflow] :
       {std::pair("deny", AuditOverflow::kDeny), std::pair("drop", AuditOverflow::kDrop)}) {
    const std::string key = std::string("audit_overflow = \"") + word + "\"\n";
    EXPECT_EQ(ParsePolicy("version = 1\n" + key + role).policy->audit_overflow, overflow);
  }
}

TEST(PolicyFileTest, ARateAllowsItselfAsABurst) {
  const auto loaded = ParsePolicy(WithRules("limits = { connects_per_second = 7 }\n"));
  EXPECT_EQ(RoleOf(loaded, "r").limits.connect_burst, 7U);
}

TEST(PolicyFileTest, KeepaliveIsOnOffOrWritten) {
  const auto on = ParsePolicy(WithRules("sockets = { keepalive = true }\n"));
  ASSERT_TRUE(RoleOf(on, "r").socket_options.keepalive.has_value());
  EXPECT_EQ(RoleOf(on, "r").socket_options.keepalive->idle_s, Keepalive().idle_s);
  const auto off = ParsePolicy(WithRules("sockets = { keepalive = false }\n"));
  EXPECT_FALSE(RoleOf(off, "r").socket_options.keepalive.has_value());
}

TEST(PolicyFileTest, OwnAddressesAreDeniedWhenTheFileSaysSo) {
  const std::string rules = "allow = [ { cidr = \"127.0.0.0/8\", ports = 80 } ]\n";
  const auto open = ParsePolicy(WithRules(rules));
  EXPECT_EQ(Said(RoleOf(open, "r").policy, At("127.0.0.1", 80)), "allow 1 none");
  const auto closed = ParsePolicy("deny_own_addresses = true\n" + WithRules(rules));
  EXPECT_EQ(Said(RoleOf(closed, "r").policy, At("127.0.0.1", 80)), "deny 0 own-address");
  EXPECT_EQ(Said(RoleOf(closed, "r").policy, At("127.9.9.9", 80)), "deny 0 own-address");
  EXPECT_EQ(Said(RoleOf(closed, "r").policy, At("::1", 80)), "deny 0 own-address");
}

TEST(PolicyFileTest, WhereTheBrokerListensIsDeniedToEveryRole) {
  const auto loaded = ParsePolicy(WithRules("mode = \"report\"\n[roles.other]\nmode = \"report\""));
  for (const char* role : {"r", "other"}) {
    EXPECT_EQ(Said(RoleOf(loaded, role).policy, *Endpoint::Unix("/run/r")), "deny 0 own-address");
  }
}

TEST(PolicyFileTest, TakesAByteOrderMarkAndCarriageReturns) {
  const auto loaded = ParsePolicy("\xEF\xBB\xBFversion = 1\r\n[roles.r]\r\nallow = [\r\n]\r\n");
  EXPECT_TRUE(loaded.policy.has_value());
}

class FileTest : public ::testing::Test {
 protected:
  FileTest() : path_(::testing::TempDir() + "/policy.toml") { unlink(path_.c_str()); }

  std::vector<std::string> Load() { return InWords(LoadPolicyFile(path_)); }

  const std::string path_;
};

TEST_F(FileTest, IsRead) {
  std::ofstream(path_) << WithRules("allow = [ { public = true, ports = 80 } ]");
  chmod(path_.c_str(), 0644);
  EXPECT_THAT(Load(), IsEmpty());
}

TEST_F(FileTest, ThatItsGroupCanWriteIsAWarning) {
  std::ofstream(path_) << WithRules("allow = [ { public = true, ports = 80 } ]");
  chmod(path_.c_str(), 0664);
  EXPECT_THAT(Load(), ElementsAre("warning 0:0 others than its owner can write the file"
                                  " (chmod go-w)"));
  EXPECT_TRUE(LoadPolicyFile(path_).policy.has_value());
}

TEST_F(FileTest, ThatAnybodyCanWriteIsNoPolicy) {
  std::ofstream(path_) << WithRules("allow = [ { public = true, ports = 80 } ]");
  chmod(path_.c_str(), 0646);
  EXPECT_THAT(Load(), ElementsAre("error 0:0 anybody can write the file (chmod go-w)"));
  EXPECT_FALSE(LoadPolicyFile(path_).policy.has_value());
}

TEST_F(FileTest, ThatIsMissingIsAnError) {
  EXPECT_THAT(Load(), ElementsAre("error 0:0 cannot be read: No such file or directory"
                                  " (name a policy file that is there)"));
}

TEST_F(FileTest, OfAnotherKindIsAnErrorAndNothingToWaitFor) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(Load(), ElementsAre("error 0:0 is not a regular file (name a policy file)"));
  EXPECT_THAT(InWords(LoadPolicyFile(::testing::TempDir())),
              ElementsAre("error 0:0 is not a regular file (name a policy file)"));
  EXPECT_THAT(InWords(LoadPolicyFile("/dev/zero")),
              ElementsAre("error 0:0 is not a regular file (name a policy file)"));
}

TEST_F(FileTest, ThatIsTooLargeIsAnError) {
  std::ofstream(path_) << "version = 1\n";
  ASSERT_EQ(truncate(path_.c_str(), kMaxPolicyBytes + 1), 0);
  EXPECT_THAT(Load(),
              ElementsAre("error 0:0 the policy is larger than 64 MiB (write fewer rules)"));
}

// 100,000 take two seconds when optimised; this one only sees that no step is quadratic.
TEST(PolicyFileTest, LoadsManyRules) {
  std::string rules = "allow = [\n";
  for (int i = 0; i < 5'000; ++i) {
    absl::StrAppend(&rules, "{ host = \"h", i, ".example.com\", ports = [80, 443] },\n");
    absl::StrAppend(&rules, "{ cidr = \"10.", i / 256, ".", i % 256, ".0/24\", ports = 80 },\n");
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto loaded = ParsePolicy(WithRules(rules + "]\n"));
  EXPECT_THAT(InWords(loaded), IsEmpty());
  EXPECT_EQ(RoleOf(loaded, "r").policy.rules().size(), 10'000U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

// Every role knows every path, so both are bounded.
TEST(PolicyFileBounds, RolesPathsAndPorts) {
  std::string roles = "version = 1\n";
  for (int i = 0; i < 257; ++i) absl::StrAppend(&roles, "[roles.r", i, "]\n");
  EXPECT_THAT(InWords(ParsePolicy(roles)),
              ElementsAre(::testing::HasSubstr("there are more than 256 roles")));
  std::string paths = "version = 1\n[roles.r]\n";
  for (int i = 0; i < 1025; ++i) {
    absl::StrAppend(&paths, "[[listen]]\nrole = \"r\"\npath = \"/run/", i, "\"\n");
  }
  EXPECT_THAT(InWords(ParsePolicy(paths)),
              ElementsAre("error 3075:1 there are more than 1024 paths"
                          " (write fewer: many workers may share one)"));
  std::string ports = "allow = [ { public = true, ports = [";
  for (int i = 1; i < 8200; i += 2) absl::StrAppend(&ports, i, ",\n");
  EXPECT_THAT(InWords(ParsePolicy(WithRules(ports + "] } ]"))),
              ElementsAre("error 7:36 'ports' has more than 4096 parts"
                          " (write ranges, as in \"8000-8100\")"));
}

TEST(PolicyFileBounds, WhoMayConnectIsLookedAt) {
  const auto with_mode = [](const char* mode) {
    return InWords(ParsePolicy(
        absl::StrCat("version = 1\n[[listen]]\npath = \"/run/r\"\nrole = \"r\"\nmode = \"", mode,
                     "\"\n[roles.r]\nallow = [ { public = true, ports = 80 } ]\n")));
  };
  EXPECT_THAT(with_mode("0666"),
              ElementsAre("warning 5:8 the mode lets every user of this host connect (write mode = "
                          "\"0660\" and a group, or name 'peers' in the role)"));
  EXPECT_THAT(with_mode("0444"), ElementsAre("warning 5:8 the mode lets nobody connect but root"
                                             " (write mode = \"0660\")"));
  EXPECT_THAT(with_mode("0660"), IsEmpty());
}

}  // namespace
}  // namespace sockgate::testing
