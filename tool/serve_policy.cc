#include "tool/serve_policy.h"

#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/status/statusor.h"
#include "broker/broker.h"
#include "broker/control/control_thread.h"
#include "broker/control/operator_log.h"
#include "broker/control/reloader.h"
#include "broker/control/servable_policy.h"
#include "broker/policy/finding_text.h"
#include "tool/audit_file.h"

namespace sockgate {
namespace {

int Fail(const absl::Status& error) {
  std::fprintf(stderr, "sockgate serve: %s\n", std::string{error.message()}.c_str());
  return EXIT_FAILURE;
}

absl::StatusOr<std::unique_ptr<Broker>> MakeBroker(const ServeOptions& options, PolicyFile policy) {
  auto audit = OpenAuditFile(options.audit_file);
  if (!audit.ok()) return audit.status();
  BrokerOptions broker_options;
  broker_options.roles = std::move(policy.roles);
  broker_options.audit = *std::move(audit);
  broker_options.resolver = std::move(policy.resolver);
  auto broker = Broker::Create(std::move(broker_options));
  if (!broker.ok()) return broker.status();
  for (const ListenAt& at : policy.listen) {
    if (absl::Status status = (*broker)->Listen(at); !status.ok()) return status;
  }
  return broker;
}

void BlockHangup() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void SayWhere(const std::vector<ListenAt>& listen) {
  for (const ListenAt& at : listen) {
    std::fprintf(stderr, "sockgate serve: listening on %s for role %s\n", at.path.c_str(),
                 at.role.c_str());
  }
}

}  // namespace

int ServePolicy(const ServeOptions& options) {
  // One that comes before the broker stands must not end it: it is taken when there is somebody to
  // take it.
  BlockHangup();
  LoadedPolicy loaded = LoadServablePolicy(options.policy_file);
  for (const Finding& finding : loaded.findings) {
    std::fprintf(stderr, "%s\n", FindingText(options.policy_file, finding).c_str());
  }
  if (!loaded.policy.has_value()) return EXIT_FAILURE;
  const std::vector<ListenAt> listen = loaded.policy->listen;

  auto broker = MakeBroker(options, *std::move(loaded.policy));
  if (!broker.ok()) return Fail(broker.status());
  // `sockgate status` may be asked from another folder.
  OperatorLog log(OwnStandardError());
  Reloader reloader(broker->get(), std::filesystem::absolute(options.policy_file).string(), &log);
  auto control = ControlThread::Start({options.control}, broker->get(), &reloader);
  if (!control.ok()) return Fail(control.status());

  SayWhere(listen);
  (*broker)->RunAsProcess({SIGTERM, SIGINT});
  control->reset();
  return EXIT_SUCCESS;
}

}  // namespace sockgate
