#include "tests/bench/bench_broker.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "broker/broker.h"
#include "broker/policy/host_pattern.h"
#include "broker/policy/policy.h"
#include "broker/policy/port_set.h"
#include "tests/bench/name_server.h"

namespace sockgate::bench {
namespace {

constexpr char kRole[] = "bench";
constexpr off_t kAuditBytes = off_t{32} << 20;

struct RuleText {
  Decision decision;
  const char* text;
};
constexpr RuleText kRules[] = {
    {Decision::kDeny, "10.0.0.0/8:*"},
    {Decision::kDeny, "172.16.0.0/12:*"},
    {Decision::kDeny, "192.168.0.0/16:*"},
    {Decision::kDeny, "169.254.0.0/16:*"},
    {Decision::kDeny, "[fc00::/7]:*"},
    {Decision::kDeny, "[fe80::/10]:*"},
    {Decision::kAllow, "192.0.2.0/24:80,443"},
    {Decision::kAllow, "198.51.100.0/24:443,8000-8100"},
    {Decision::kAllow, "[2001:db8::/32]:80,443"},
    {Decision::kAllow, "127.0.0.0/24:1024-65535"},
};

absl::StatusOr<std::vector<Rule>> TenRules() {
  std::vector<Rule> rules;
  for (const RuleText& rule : kRules) {
    auto parsed = Rule::Parse(rule.decision, rule.text);
    if (!parsed.ok()) return parsed.status();
    rules.push_back(*std::move(parsed));
  }
  return rules;
}

absl::StatusOr<Rule> NamesOfServer() {
  const auto pattern = HostPattern::Parse(absl::StrCat("*.", kZone));
  if (!pattern.ok()) return pattern.status();
  Rule rule = {Decision::kAllow, *pattern, *PortSet::Parse("*")};
  rule.private_addresses = true;
  return rule;
}

absl::StatusOr<UniqueFd> NamelessFile() {
  const char* folder = std::getenv("TEST_TMPDIR");
  std::string path = absl::StrCat(folder == nullptr ? "/tmp" : folder, "/connect_bench.XXXXXX");
  UniqueFd file(mkostemp(path.data(), O_CLOEXEC | O_APPEND));
  if (!file.valid()) return absl::ErrnoToStatus(errno, path);
  unlink(path.c_str());
  return file;
}

}  // namespace

absl::StatusOr<BenchBroker> BenchBroker::Start() {
  auto rules = TenRules();
  if (!rules.ok()) return rules.status();
  return StartWith(*std::move(rules), {});
}

absl::StatusOr<BenchBroker> BenchBroker::StartWithNames() {
  auto rules = TenRules();
  if (!rules.ok()) return rules.status();
  auto names = NamesOfServer();
  if (!names.ok()) return names.status();
  rules->push_back(*std::move(names));
  BrokerOptions options;
  options.resolver.emplace();
  return StartWith(*std::move(rules), std::move(options));
}

absl::StatusOr<BenchBroker> BenchBroker::StartWith(std::vector<Rule> rules, BrokerOptions options) {
  auto audit = NamelessFile();
  if (!audit.ok()) return audit.status();
  Role role;
  role.name = kRole;
  role.policy = Policy(std::move(rules));
  role.limits.lookups_per_second = 0;
  options.roles.push_back(std::move(role));
  options.audit.Reset(fcntl(audit->get(), F_DUPFD_CLOEXEC, 0));
  auto process = BrokerProcess::Start(std::move(options));
  if (!process.ok()) return process.status();
  return BenchBroker(*std::move(process), *std::move(audit));
}

absl::StatusOr<UniqueFd> BenchBroker::AddWorker() { return process_.AddWorker(kRole); }

void BenchBroker::CutAuditLog() {
  struct stat status;
  if (fstat(audit_.get(), &status) != 0 || status.st_size < kAuditBytes) return;
  if (ftruncate(audit_.get(), 0) != 0) return;  // then it only grows
}

}  // namespace sockgate::bench
