#include "tool/serve.h"

#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/status/statusor.h"
#include "broker/broker.h"
#include "tool/serve_broker.h"
#include "tool/serve_policy.h"

namespace sockgate {
namespace {

constexpr char kRole[] = "default";

int Fail(int status, const absl::Status& error) {
  std::fprintf(stderr, "sockgate serve: %s\n", std::string{error.message()}.c_str());
  return status;
}

absl::Status AddRules(Decision decision, const std::vector<std::string>& texts,
                      std::vector<Rule>* rules) {
  for (const std::string& text : texts) {
    auto rule = Rule::Parse(decision, text);
    if (!rule.ok()) return rule.status();
    rules->push_back(*std::move(rule));
  }
  return absl::OkStatus();
}

}  // namespace

int Serve(const ServeOptions& options) {
  if (!options.policy_file.empty()) return ServePolicy(options);
  if (options.listen.empty()) {
    return Fail(2, absl::InvalidArgumentError("write --policy FILE, or --listen PATH"));
  }
  std::vector<Rule> rules;
  absl::Status status = AddRules(Decision::kAllow, options.allow, &rules);
  if (status.ok()) status = AddRules(Decision::kDeny, options.deny, &rules);
  if (!status.ok()) return Fail(2, status);

  HoldSignals({SIGTERM, SIGINT});
  // There is no file to read anew.
  signal(SIGHUP, SIG_IGN);
  ServeStreams streams = OpenServeStreams(options);
  status = BecomeServer(options);
  if (!status.ok()) return Fail(EXIT_FAILURE, status);
  Role role;
  role.name = kRole;
  role.policy = Policy(std::move(rules));
  BrokerOptions broker_options;
  broker_options.roles.push_back(std::move(role));
  auto broker =
      StartServing(options, &streams, std::move(broker_options), {{options.listen, kRole}}, {});
  if (!broker.ok()) return Fail(EXIT_FAILURE, broker.status());
  std::fprintf(stderr, "sockgate serve: listening on %s\n", options.listen.c_str());
  (*broker)->RunAsProcess({SIGTERM, SIGINT}, options.finish_time);
  return EXIT_SUCCESS;
}

}  // namespace sockgate
