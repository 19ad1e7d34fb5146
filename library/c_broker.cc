#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "broker/broker_process.h"
#include "broker/policy/finding_text.h"
#include "broker/policy/policy_file.h"
#include "confine/thread_count.h"
#include "library/c_error.h"
#include "library/sockgate.h"

struct sockgate_broker {
  sockgate::BrokerProcess process;
  std::vector<std::string> roles;
  pid_t owner;  // who started it
};

namespace sockgate::c {
namespace {

// What keeps the policy from being one that nobody listens for.
std::optional<std::string> Fault(const char* name, const LoadedPolicy& loaded) {
  for (const Finding& finding : loaded.findings) {
    if (finding.severity == Finding::Severity::kError) return FindingText(name, finding);
  }
  if (loaded.policy->listen.empty()) return std::nullopt;
  Finding finding;
  finding.line = loaded.policy->listen.front().line;
  finding.column = 1;
  finding.message = "an embedded broker listens on no path";
  finding.advice = "take [[listen]] out, or run 'sockgate serve'";
  return FindingText(name, finding);
}

// Another thread's locks would stay locked in the child.
absl::Status CheckOnlyThread() {
  const int threads = confine::CountThreads();
  if (threads == 1) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the broker is a child of fork(2): start it before threads (there are ", threads, ")"));
}

int Start(const char* name, LoadedPolicy loaded, int audit, sockgate_broker** broker,
          sockgate_error* error) {
  if (const auto fault = Fault(name, loaded)) return Fail(error, SOCKGATE_BAD_POLICY, *fault);
  if (absl::Status status = CheckOnlyThread(); !status.ok()) return Fail(error, status);
  BrokerOptions options;
  options.roles = std::move(loaded.policy->roles);
  options.resolver = std::move(loaded.policy->resolver);
  options.limits = loaded.policy->limits;
  options.audit_overflow = loaded.policy->audit_overflow;
  if (audit >= 0) {
    options.audit.Reset(fcntl(audit, F_DUPFD_CLOEXEC, 3));
    if (!options.audit.valid()) return Fail(error, absl::ErrnoToStatus(errno, "the audit log"));
  }
  std::vector<std::string> roles;
  for (const Role& role : options.roles) roles.push_back(role.name);
  auto process = BrokerProcess::Start(std::move(options));
  if (!process.ok()) return Fail(error, process.status());
  *broker = new sockgate_broker{*std::move(process), std::move(roles), getpid()};
  return SOCKGATE_OK;
}

}  // namespace
}  // namespace sockgate::c

using namespace sockgate;     // NOLINT(google-build-using-namespace)
using namespace sockgate::c;  // NOLINT(google-build-using-namespace)

int sockgate_broker_start(const char* policy, int audit, sockgate_broker** broker,
                          sockgate_error* error) {
  return Guarded(error, [&] {
    if (policy == nullptr) return FailNull(error, "policy");
    if (broker == nullptr) return FailNull(error, "broker");
    return Start("policy", ParsePolicy(policy), audit, broker, error);
  });
}

int sockgate_broker_start_file(const char* path, int audit, sockgate_broker** broker,
                               sockgate_error* error) {
  return Guarded(error, [&] {
    if (path == nullptr) return FailNull(error, "path");
    if (broker == nullptr) return FailNull(error, "broker");
    return Start(path, LoadPolicyFile(path), audit, broker, error);
  });
}

int sockgate_broker_add_worker(sockgate_broker* broker, const char* role, int* channel,
                               sockgate_error* error) {
  return Guarded(error, [&] {
    if (broker == nullptr) return FailNull(error, "broker");
    if (role == nullptr) return FailNull(error, "role");
    if (channel == nullptr) return FailNull(error, "channel");
    if (broker->owner != getpid()) {
      return Fail(error, SOCKGATE_BAD_STATE, "the broker belongs to the process that started it");
    }
    const auto& roles = broker->roles;
    if (std::find(roles.begin(), roles.end(), role) == roles.end()) {
      return Fail(error, SOCKGATE_BAD_ARGUMENT, "the policy has no such role");
    }
    auto end = broker->process.AddWorker(role);
    if (!end.ok()) return Fail(error, end.status());
    *channel = end->Release();
    return int{SOCKGATE_OK};
  });
}

int sockgate_broker_pid(const sockgate_broker* broker) {
  return broker == nullptr ? -1 : broker->process.pid();
}

void sockgate_broker_free(sockgate_broker* broker) {
  if (broker == nullptr) return;
  if (broker->owner != getpid()) broker->process.Forget();
  delete broker;
}
