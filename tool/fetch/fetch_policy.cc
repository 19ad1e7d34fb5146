#include "tool/fetch/fetch_policy.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "broker/policy/finding_text.h"
#include "broker/policy/host_name.h"
#include "broker/policy/policy_file.h"
#include "client/url_host.h"
#include "proto/endpoint.h"
#include "tool/allow_list.h"

namespace sockgate {
namespace {

constexpr char kRole[] = "fetch";

absl::Status AddAll(const FetchOptions& options, AllowList* list) {
  absl::Status status;
  const auto add = [&](const std::vector<std::string>& texts, auto what) {
    for (const std::string& text : texts) {
      if (status.ok()) status = (list->*what)(text);
    }
  };
  add(options.allow, &AllowList::Add);
  add(options.allow_private, &AllowList::AddPrivate);
  if (options.allow.empty() && options.allow_private.empty()) {
    add({kDefaultAllow}, &AllowList::Add);
  }
  add(options.deny, &AllowList::AddDenied);
  return status;
}

absl::Status AddNameServers(const FetchOptions& options, ResolverOptions* resolver) {
  if (!options.dns_servers.empty()) resolver->servers.clear();
  for (const std::string& text : options.dns_servers) {
    const auto server = ParseNameServer(text);
    if (!server.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--dns-servers '", text, "' is no name server: write its address, with a port if it is ",
          "not 53, such as 192.0.2.53 or [2001:db8::53]:5353"));
    }
    resolver->servers.push_back(*server);
  }
  if (resolver->servers.size() > kMaxResolverServers) {
    return absl::InvalidArgumentError(absl::StrCat("--dns-servers: at most ", kMaxResolverServers));
  }
  return absl::OkStatus();
}

void Say(const FetchOptions& options, const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    if (finding.severity != Finding::Severity::kError && !options.verbose) continue;
    std::fprintf(stderr, "%s\n", FindingText(options.policy_file, finding).c_str());
  }
}

// libcurl does not ask for the addresses of localhost, so that a name which is denied shows as an
// address that nothing allows. 0: it is not so.
uint32_t RuleAgainstLocalhost(const Policy& policy, const std::string& url,
                              const Endpoint& attempt) {
  const auto host = HostOfUrl(url);
  if (!host.has_value() || attempt.port() == 0) return 0;
  const auto name = HostName::Parse(host->name);
  if (!name.ok() || !name->is_localhost()) return 0;
  const HostName* const names[] = {&*name};
  const Verdict verdict = policy.Decide(attempt, Transport::kStream, names);
  return verdict.reason == Reason::kDenyRule ? verdict.rule : 0;
}

absl::StatusOr<Role> TakeRole(std::vector<Role> roles, const FetchOptions& options) {
  if (options.role.empty() && roles.size() == 1) return std::move(roles.front());
  std::vector<std::string> names;
  for (Role& role : roles) {
    if (role.name == options.role) return std::move(role);
    names.push_back(role.name);
  }
  const std::string asked =
      options.role.empty() ? "write --role with one of the roles of "
                           : absl::StrCat("--role '", options.role, "' is none of the roles of ");
  return absl::InvalidArgumentError(
      absl::StrCat(asked, options.policy_file, ": ", absl::StrJoin(names, ", ")));
}

}  // namespace

absl::StatusOr<FetchPolicy> FetchPolicy::Choose(const FetchOptions& options) {
  auto policy = options.policy_file.empty() ? FromOptions(options) : FromFile(options);
  if (!policy.ok()) return policy;
  absl::Status status = AddNameServers(options, &policy->resolver);
  if (!status.ok()) return status;
  policy->BoundLookups(options);
  return policy;
}

// The resolver's limits are to run out a little before the transfer's, where those are short, so
// that it can still be said what it was that did not answer.
void FetchPolicy::BoundLookups(const FetchOptions& options) {
  // resolv.conf(5): 5 seconds, 2 attempts, 3 servers.
  constexpr double kUsualMs = 5000;
  constexpr uint32_t kTries = 2;
  const size_t servers = resolver.servers.empty() ? 3 : resolver.servers.size();
  const double limit_s = 0.8 * options.ConnectLimit();
  const double share_ms = std::ceil(limit_s * 1000 / static_cast<double>(kTries * servers));
  if (share_ms >= resolver.timeout_ms.value_or(kUsualMs)) return;
  lookup_limit_s_ = limit_s;
  resolver.tries = kTries;
  resolver.timeout_ms = static_cast<uint32_t>(share_ms);
}

absl::StatusOr<FetchPolicy> FetchPolicy::FromOptions(const FetchOptions& options) {
  AllowList list;
  absl::Status status = AddAll(options, &list);
  if (!status.ok()) return status;
  FetchPolicy policy;
  policy.role.name = kRole;
  const bool has_own = !options.allow.empty() || !options.allow_private.empty();
  policy.rules_in_ = has_own ? RulesIn::kOptions : RulesIn::kDefault;
  policy.role.policy = Policy(list.rules());
  // Whoever asks for so much at once shall have it: two addresses of a host may be tried at a time.
  Limits& limits = policy.role.limits;
  limits.max_pending = std::max(limits.max_pending, 2 * options.jobs);
  limits.max_lookups = std::max(limits.max_lookups, 2 * options.jobs);
  limits.lookups_per_second = 0;
  for (uint32_t rule = 1; rule <= list.rules().size(); ++rule) {
    policy.sources_.emplace_back(list.Source(rule));
  }
  return policy;
}

absl::StatusOr<FetchPolicy> FetchPolicy::FromFile(const FetchOptions& options) {
  LoadedPolicy loaded = LoadPolicyFile(options.policy_file);
  Say(options, loaded.findings);
  if (!loaded.policy.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.policy_file, " makes no policy: `sockgate check-policy` says how to mend it"));
  }
  auto role = TakeRole(std::move(loaded.policy->roles), options);
  if (!role.ok()) return role.status();
  FetchPolicy policy;
  policy.role = *std::move(role);
  policy.resolver = std::move(loaded.policy->resolver);
  policy.limits = loaded.policy->limits;
  policy.audit_overflow = loaded.policy->audit_overflow;
  policy.rules_in_ = RulesIn::kPolicyFile;
  policy.file_ = options.policy_file;
  return policy;
}

std::string FetchPolicy::Source(uint32_t rule) const {
  const std::vector<Rule>& rules = role.policy.rules();
  if (rule == 0 || rule > rules.size()) return "";
  return file_.empty() ? sources_[rule - 1] : absl::StrCat(file_, ":", rules[rule - 1].line);
}

std::string FetchPolicy::Advice(const ConnectError& error, const std::string& url,
                                const std::string& address, uint16_t port) const {
  const auto ip = IpAddress::Parse(address);
  const Endpoint attempt = ip.has_value() ? Endpoint::Ip(*ip, port) : Endpoint();
  const uint32_t by_name = RuleAgainstLocalhost(role.policy, url, attempt);
  if (by_name != 0) return absl::StrCat("; ", Source(by_name), " denies the name");
  // Of a limit, the rule is that which allowed it.
  const bool denied = error.kind == ConnectError::Kind::kDenied;
  const std::string source = denied ? Source(error.rule) : "";
  return absl::StrCat(
      source.empty() ? "" : absl::StrCat(", which is ", source),
      sockgate::Advice(error, url, ip.has_value() && port != 0 ? &attempt : nullptr, rules_in_));
}

}  // namespace sockgate
