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
#include "broker/policy/policy.h"

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

absl::StatusOr<Role> MakeRole() {
  std::vector<Rule> rules;
  for (const RuleText& rule : kRules) {
    auto parsed = Rule::Parse(rule.decision, rule.text);
    if (!parsed.ok()) return parsed.status();
    rules.push_back(*std::move(parsed));
  }
  Role role;
  role.name = kRole;
  role.policy = Policy(std::move(rules));
  return role;
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
  auto role = MakeRole();
  if (!role.ok()) return role.status();
  auto audit = NamelessFile();
  if (!audit.ok()) return audit.status();
  BrokerOptions options;
  options.roles.push_back(*std::move(role));
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
