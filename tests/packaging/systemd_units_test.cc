// The units, by systemd's own judgement; and the broker under the filter that its unit asks for.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "confine/profile.h"
#include "confine/seccomp_filter.h"
#include "proto/check.h"
#include "tests/broker/temp_folder.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/shell.h"
#include "tests/tool/command.h"
#include "tests/tool/policy_daemon.h"

namespace sockgate::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kFolder[] = "packaging/systemd/";

// What `systemd-analyze security` may find, in tenths: 20 of 100. What is left is what a broker is
// for, the network above all.
constexpr int kMostExposure = 20;

class SystemdUnits : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Shell("systemd-analyze --version").status != 0) {
      GTEST_SKIP() << "there is no systemd-analyze";
    }
    // As they will be, but for where the command is.
    for (const char* unit : {"sockgate.service", "sockgate.socket"}) {
      std::ofstream(folder_ / unit)
          << absl::StrReplaceAll(FileText(absl::StrCat(kFolder, unit)),
                                 {{"/usr/bin/sockgate", fs::absolute("tool/sockgate").string()}});
    }
  }

  const TempFolder folder_;
};

TEST_F(SystemdUnits, AreUnderstood) {
  const Ran verify = Shell(absl::StrCat("systemd-analyze verify ", folder_ / "sockgate.service",
                                        " ", folder_ / "sockgate.socket"));
  EXPECT_EQ(verify.status, 0);
  EXPECT_EQ(verify.said, "");
}

TEST_F(SystemdUnits, LittleIsExposed) {
  const Ran security = Shell(
      absl::StrCat("systemd-analyze security --no-pager --offline=true --threshold=", kMostExposure,
                   " ", folder_ / "sockgate.service"));
  EXPECT_EQ(security.status, 0) << security.said;
  EXPECT_THAT(security.said, HasSubstr("Overall exposure level for sockgate.service"));
}

// All that a unit says of a setting, word by word.
std::vector<std::string> Words(const std::string& unit, const std::string& setting) {
  std::vector<std::string> words;
  std::istringstream lines(unit);
  for (std::string line; std::getline(lines, line);) {
    if (!absl::StartsWith(line, setting + "=")) continue;
    const bool denies = line[setting.size() + 1] == '~';
    for (absl::string_view word :
         absl::StrSplit(line.substr(setting.size() + (denies ? 2 : 1)), ' ', absl::SkipEmpty())) {
      words.push_back(absl::StrCat(denies ? "~" : "", word));
    }
  }
  return words;
}

// The calls of a group, and of those in it.
std::set<std::string> Calls(const std::string& word) {
  if (word[0] != '@') return {word};
  std::set<std::string> calls;
  std::istringstream lines(Shell(absl::StrCat("systemd-analyze syscall-filter ", word)).said);
  std::string line;
  std::getline(lines, line);  // the group itself
  while (std::getline(lines, line)) {
    const std::string inner{absl::StripAsciiWhitespace(line)};
    if (!inner.empty() && inner[0] != '#') calls.merge(Calls(inner));
  }
  return calls;
}

std::set<std::string> AllowedBy(const std::string& unit) {
  std::set<std::string> allowed = Calls("@default");
  for (const std::string& word : Words(unit, "SystemCallFilter")) {
    if (word[0] != '~') {
      allowed.merge(Calls(word));
      continue;
    }
    for (const std::string& call : Calls(word.substr(1))) allowed.erase(call);
  }
  return allowed;
}

confine::Profile ProfileOf(const std::string& unit) {
  const std::map<std::string, uint64_t> families = {{"AF_UNIX", AF_UNIX},
                                                    {"AF_INET", AF_INET},
                                                    {"AF_INET6", AF_INET6},
                                                    {"AF_NETLINK", AF_NETLINK}};
  confine::Profile profile;
  profile.name = "unit";
  profile.fallback = confine::Errno(EPERM);
  for (const std::string& call : AllowedBy(unit)) {
    if (call == "socket" || seccomp_syscall_resolve_name(call.c_str()) < 0) continue;
    profile.rules.push_back({call});
  }
  for (const std::string& family : Words(unit, "RestrictAddressFamilies")) {
    profile.rules.push_back({"socket", confine::kAllow, {confine::IntIs(0, families.at(family))}});
  }
  return profile;
}

TEST_F(SystemdUnits, TheirFilterLeavesTheBrokerWhatItNeeds) {
  const confine::Profile profile = ProfileOf(FileText(absl::StrCat(kFolder, "sockgate.service")));
  EXPECT_GT(profile.rules.size(), 200U);
  const auto filter = confine::SeccompFilter::Build(profile);
  ASSERT_TRUE(filter.ok()) << filter.status();
  const RefusingPort target = *RefusingPort::Reserve();
  PolicyDaemon daemon;
  daemon.WritePolicy(absl::StrCat("deny_own_addresses = false\n",
                                  daemon.PolicyText(absl::StrCat(target.port())),
                                  "[resolver]\nservers = [\"127.0.0.1:1\"]\n"));
  ASSERT_TRUE(daemon.Start({}, [&] { SOCKGATE_CHECK(filter->Install() == 0); }))
      << daemon.StandardError();
  TestWorker worker = daemon.Worker();
  const auto ask = [&] { return worker.Ask(ConnectTo("127.0.0.1", target.port())).result().error; };
  EXPECT_EQ(ask(), static_cast<uint32_t>(ECONNREFUSED));
  EXPECT_EQ(RunSockgate({"reload", "--control", daemon.control()}).status, 0);
  EXPECT_EQ(RunSockgate({"rotate", "--control", daemon.control()}).status, 0);
  EXPECT_EQ(ask(), static_cast<uint32_t>(ECONNREFUSED));
  EXPECT_TRUE(daemon.Await(
      [](const nlohmann::json& status) { return status["resolver"]["state"] == "ready"; }));
  EXPECT_EQ(daemon.Stop(), 0) << daemon.StandardError();
}

}  // namespace
}  // namespace sockgate::testing
