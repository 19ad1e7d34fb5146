#include "tests/fuzz/session/session_world.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sstream>
#include <utility>

#include "broker/policy/host_pattern.h"
#include "broker/policy/policy.h"
#include "proto/check.h"
#include "proto/packet_socket.h"

namespace sockgate::fuzz {
namespace {

constexpr char kRole[] = "fuzz";

Rule OnHost(Decision decision, absl::string_view pattern) {
  return {decision, HostPattern::Parse(pattern).value(), PortSet::Parse("*").value()};
}

std::vector<Rule> UsualRules() {
  return {*Rule::Parse(Decision::kAllow, "192.0.2.0/24:*"),
          *Rule::Parse(Decision::kDeny, "192.0.2.66:*"),
          *Rule::Parse(Decision::kAllow, "[2001:db8::/32]:*"),
          OnHost(Decision::kAllow, "*.example.com"), OnHost(Decision::kDeny, "bad.example.com")};
}

Limits NarrowLimits() {
  Limits limits;
  limits.max_outstanding = 1;
  limits.max_pending = 1;
  limits.max_channels = 1;
  limits.max_lookups = 1;
  limits.max_leases = 1;
  limits.lookups_per_second = limits.lookup_burst = 1;
  limits.connects_per_second = limits.connect_burst = 1;
  limits.unread_patience_ms = 1;
  limits.max_deadline_ms = 1;
  return limits;
}

Role RoleBy(SessionWorld::Rules rules) {
  Role role;
  role.name = rules == SessionWorld::Rules::kGone ? "another" : kRole;
  role.limits =
      rules == SessionWorld::Rules::kNarrow ? NarrowLimits() : SessionWorld::UsualLimits();
  if (rules == SessionWorld::Rules::kOther) {
    role.policy = Policy({*Rule::Parse(Decision::kAllow, "198.51.100.0/24:*")});
  } else {
    const bool report = rules == SessionWorld::Rules::kReport;
    role.policy = Policy(UsualRules(), report ? PolicyMode::kReport : PolicyMode::kEnforce);
  }
  return role;
}

// Made once, since the index over its rules takes longer than a run.
const RoleTable& TableOf(SessionWorld::Rules rules) {
  static const std::vector<RoleTable> tables = [] {
    std::vector<RoleTable> all;
    for (uint8_t i = 0; i < SessionWorld::kRules; ++i) {
      all.push_back(*RoleTable::Make({RoleBy(static_cast<SessionWorld::Rules>(i))}));
    }
    return all;
  }();
  return tables[static_cast<size_t>(rules)];
}

RoleSnapshot GoneRole() {
  static const RoleSnapshot gone = RoleTable::Removed(kRole, SessionWorld::UsualLimits());
  return gone;
}

}  // namespace

// Small ones, so that few bytes reach them.
Limits SessionWorld::UsualLimits() {
  Limits limits;
  limits.max_outstanding = 4;
  limits.max_pending = 6;
  limits.max_channels = 5;
  limits.max_lookups = 3;
  limits.max_leases = 4;
  limits.lookups_per_second = 0;
  return limits;
}

SessionWorld::SessionWorld()
    : log_(memfd_create("audit", MFD_CLOEXEC)),
      loop_(*EventLoop::Create()),
      audit_(std::make_unique<AuditLog>(UniqueFd(fcntl(log_.get(), F_DUPFD_CLOEXEC, 0)))),
      roles_(TableOf(Rules::kUsual)) {
  NameServing serving;
  serving.source = &names_;
  server_ = std::make_unique<Server>(loop_.get(), &net_, audit_.get(), &usage_, serving);
}

SessionWorld::~SessionWorld() = default;

void SessionWorld::Run(const std::function<bool()>& turn) {
  loop_->Wake();
  loop_->Run([&] {
    if (server_ != nullptr) server_->AfterWakeup();
    if (turn()) {
      loop_->Wake();
    } else {
      loop_->Stop();
    }
  });
}

UniqueFd SessionWorld::AddWorker() {
  auto pair = MakeChannelPair();
  SOCKGATE_CHECK(pair.has_value());
  RoleSnapshot role = roles_.Find(kRole);
  if (role == nullptr) role = GoneRole();
  server_->AddWorker(std::move(pair->broker), std::move(role), {42, 7});
  return std::move(pair->worker);
}

void SessionWorld::Adopt(Rules rules) {
  roles_ = TableOf(rules);
  audit_->PolicyLoaded(++policy_, "fuzzed", {});
  server_->Adopt(roles_);
}

std::vector<std::string> SessionWorld::Log() {
  audit_->Flush();
  std::string text(static_cast<size_t>(lseek(log_.get(), 0, SEEK_END)), '\0');
  SOCKGATE_CHECK(pread(log_.get(), text.data(), text.size(), 0) ==
                 static_cast<ssize_t>(text.size()));
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace sockgate::fuzz
