#include "tool/serve_policy.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
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
#include "tool/serve_broker.h"

namespace sockgate {
namespace {

int Fail(const absl::Status& error) {
  std::fprintf(stderr, "sockgate serve: %s\n", std::string{error.message()}.c_str());
  return EXIT_FAILURE;
}

// A file that this user cannot read could not be read at a reload either.
void SayFindings(const ServeOptions& options, const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    std::fprintf(stderr, "%s\n", FindingText(options.policy_file, finding).c_str());
  }
  if (access(options.policy_file.c_str(), R_OK) == 0 || errno != EACCES) return;
  const std::string who = options.user.empty()
                              ? "the user that runs the broker, without privileges,"
                              : "user " + options.user;
  std::fprintf(stderr, "sockgate serve: %s must be able to read %s, now and at each reload\n",
               who.c_str(), options.policy_file.c_str());
}

void SayWhere(const std::vector<ListenAt>& listen) {
  for (const ListenAt& at : listen) {
    std::fprintf(stderr, "sockgate serve: listening on %s for role %s\n", at.path.c_str(),
                 at.role.c_str());
  }
}

}  // namespace

int ServePolicy(const ServeOptions& options) {
  HoldSignals({SIGHUP, SIGTERM, SIGINT});
  ServeStreams streams = OpenServeStreams(options);
  if (absl::Status status = BecomeServer(options); !status.ok()) return Fail(status);
  // `sockgate status` may be asked from another folder.
  const std::string file = std::filesystem::absolute(options.policy_file).string();
  LoadedPolicy loaded = LoadServablePolicy(file);
  SayFindings(options, loaded.findings);
  if (!loaded.policy.has_value()) return EXIT_FAILURE;

  BrokerOptions broker_options;
  broker_options.roles = std::move(loaded.policy->roles);
  broker_options.resolver = std::move(loaded.policy->resolver);
  broker_options.limits = loaded.policy->limits;
  broker_options.audit_overflow = loaded.policy->audit_overflow;
  const std::vector<ListenAt> listen = std::move(loaded.policy->listen);
  auto broker =
      StartServing(options, &streams, std::move(broker_options), listen, {file, options.control});
  if (!broker.ok()) return Fail(broker.status());
  OperatorLog log(std::move(streams.log));
  Reloader reloader(broker->get(), file, &log);
  auto control = ControlThread::Start({options.control}, broker->get(), &reloader);
  if (!control.ok()) return Fail(control.status());

  SayWhere(listen);
  (*broker)->RunAsProcess({SIGTERM, SIGINT}, options.finish_time);
  control->reset();
  return EXIT_SUCCESS;
}

}  // namespace sockgate
