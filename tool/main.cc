// The command `sockgate`.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "tool/check_policy.h"
#include "tool/exit_status.h"
#include "tool/explain.h"
#include "tool/fetch/fetch.h"
#include "tool/fetch/fetch_command.h"
#include "tool/help_text.h"
#include "tool/learn.h"
#include "tool/metrics.h"
#include "tool/reload.h"
#include "tool/revoke.h"
#include "tool/rotate.h"
#include "tool/seconds_range.h"
#include "tool/serve.h"
#include "tool/status.h"
#include "tool/usage_error.h"
#include "tool/version_text.h"

namespace {

using sockgate::confine::CageLevel;

CLI::App* AddServe(CLI::App& app, sockgate::ServeOptions& options, std::string& cage,
                   std::string& overflow, double& finish_s) {
  CLI::App* serve = app.add_subcommand("serve", "Run a broker on a path");
  CLI::Option* policy = serve
                            ->add_option("--policy", options.policy_file,
                                         "What workers may reach, and where they ask. Or:")
                            ->type_name("FILE");
  CLI::Option* listen =
      serve->add_option("--listen", options.listen, "The UNIX socket that workers connect to")
          ->excludes(policy)
          ->type_name("PATH");
  serve->add_option("--allow", options.allow, "What workers may reach there: CIDR:PORTS")
      ->needs(listen)
      ->type_name("WHAT")
      ->allow_extra_args(false);
  serve->add_option("--deny", options.deny, "What they may not, whatever is allowed: CIDR:PORTS")
      ->needs(listen)
      ->type_name("WHAT")
      ->allow_extra_args(false);
  serve
      ->add_option("--control", options.control,
                   "Take orders of `sockgate status`, `reload` ... here")
      ->needs(policy)
      ->type_name("PATH");
  serve
      ->add_option("--audit", options.audit_file,
                   "Append the audit log to a file; or journald; or -, the default: stderr")
      ->type_name("FILE");
  serve
      ->add_option("--audit-overflow", overflow,
                   "When the audit log cannot be written: deny requests (default) or drop lines")
      ->needs(listen)
      ->check(CLI::IsMember({"deny", "drop"}))
      ->type_name("WHAT");
  serve
      ->add_option("--user", options.user,
                   "Run as this user, who must be able to read the policy file, to write the audit "
                   "log and to make the paths")
      ->type_name("NAME");
  serve
      ->add_option("--cage", cage,
                   "What the broker gives up first: full (default), without-landlock or none")
      ->check(CLI::IsMember({"full", "without-landlock", "none"}))
      ->type_name("CAGE");
  serve->add_option("--threads", options.threads, "Serve with so many threads; default 1")
      ->check(CLI::Range(1U, sockgate::Broker::kMaxThreads, ""))
      ->type_name("N");
  serve
      ->add_option("--spin", options.spin_us,
                   "Look for the next request for so long before sleeping; default 0")
      ->check(CLI::Range(0U, 10'000U, ""))
      ->type_name("MICROSECONDS");
  serve->add_option("--finish-time", finish_s, "At SIGTERM: for what is under way; default 5")
      ->check(sockgate::SecondsRange(0, 3600))
      ->type_name("SECONDS");
  serve->footer("More: man sockgate-serve");
  return serve;
}

CLI::App* AddCheckPolicy(CLI::App& app, sockgate::CheckPolicyOptions& options) {
  CLI::App* check = app.add_subcommand("check-policy", "Say what is wrong with a policy file");
  check->add_option("file", options.file, "The policy")->required()->type_name("FILE");
  check->add_flag("--strict", options.strict, "Fail for a warning, too");
  check->add_flag("--json", options.json, "Print JSON");
  return check;
}

CLI::App* AddExplain(CLI::App& app, sockgate::ExplainOptions& options) {
  CLI::App* explain = app.add_subcommand("explain", "Say what a policy decides, and why");
  explain->add_option("--policy", options.policy_file, "The policy")->required()->type_name("FILE");
  explain->add_option("--role", options.role, "The role; not needed if there is but one");
  explain
      ->add_option("target", options.target,
                   "A URL, HOST:PORT, ADDRESS:PORT (IPv6 in brackets) or unix:/PATH")
      ->required();
  explain
      ->add_option("--resolved-to", options.resolved_to,
                   "An address that the target's name leads to; may be repeated")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  explain->add_flag("--udp", options.udp, "Ask about UDP instead of TCP");
  explain->add_flag("--json", options.json, "Print JSON");
  return explain;
}

void AddControl(CLI::App* command, std::string& path) {
  command->add_option("--control", path, "As `sockgate serve` was told")
      ->required()
      ->type_name("PATH");
}

CLI::App* AddReload(CLI::App& app, sockgate::ReloadOptions& options) {
  CLI::App* reload = app.add_subcommand("reload", "Have a broker read its policy file anew");
  AddControl(reload, options.control);
  return reload;
}

CLI::App* AddRevoke(CLI::App& app, sockgate::RevokeOptions& options) {
  CLI::App* revoke =
      app.add_subcommand("revoke", "Cut connections of roles that say track = true, at once");
  AddControl(revoke, options.control);
  revoke->add_option("--role", options.role, "Those of this role")->type_name("ROLE");
  revoke->add_option("--worker", options.worker, "Those of the worker with this number in the log")
      ->type_name("N")
      ->check(CLI::Range(int64_t{0}, int64_t{1'000'000'000'000}, ""));
  revoke->add_option("--to", options.to, "Those that lead to these addresses")->type_name("CIDR");
  revoke->add_flag("--all", options.all, "All of them");
  return revoke;
}

CLI::App* AddRotate(CLI::App& app, sockgate::RotateOptions& options) {
  CLI::App* rotate = app.add_subcommand("rotate", "Have a broker open its audit log anew");
  AddControl(rotate, options.control);
  return rotate;
}

CLI::App* AddStatus(CLI::App& app, sockgate::StatusOptions& options) {
  CLI::App* status = app.add_subcommand("status", "Ask a broker how things stand");
  AddControl(status, options.control);
  status->add_flag("--json", options.json, "As the broker says it");
  CLI::Option* watch = status->add_flag(
      "--watch", options.watch,
      "Again and again, with rates per second. On a terminal in place, until 'q' or\n"
      "Ctrl-C; else, and with --json, one after the other");
  status->add_option("--interval", options.interval_s, "Between two looks; default 1")
      ->needs(watch)
      ->check(sockgate::SecondsRange(0.1, 86400))
      ->type_name("SECONDS");
  return status;
}

CLI::App* AddMetrics(CLI::App& app, sockgate::MetricsOptions& options) {
  CLI::App* metrics = app.add_subcommand("metrics", "Print a broker's numbers for Prometheus");
  AddControl(metrics, options.control);
  metrics
      ->add_option("--output", options.output,
                   "Into this file instead, which is replaced as a whole or not at all")
      ->type_name("FILE");
  return metrics;
}

CLI::App* AddLearn(CLI::App& app, sockgate::LearnOptions& options) {
  CLI::App* learn =
      app.add_subcommand("learn", "Print a policy that allows what an audit log tells of");
  learn->add_option("audit_log", options.audit_log, "A broker's audit log; -: standard input")
      ->required()
      ->type_name("AUDIT_LOG");
  learn->add_option("--role", options.role, "Learn about this role only")->type_name("ROLE");
  learn->add_flag("--denied", options.denied, "Allow what was denied, too");
  return learn;
}

// The options of all commands, of which one is run.
struct Commands {
  explicit Commands(CLI::App& app) : fetch(app) {
    fetch.app()->callback([this] { status = sockgate::Fetch(fetch.Options()); });
    AddServe(app, serve, cage, overflow, finish_s)->callback([this] {
      serve.audit_overflow = sockgate::ParseAuditOverflow(overflow).value_or(serve.audit_overflow);
      serve.finish_time = std::chrono::milliseconds(static_cast<int64_t>(finish_s * 1000));
      for (const CageLevel level : {CageLevel::kWithoutLandlock, CageLevel::kNone}) {
        if (cage == Word(level)) serve.cage = level;
      }
      status = sockgate::Serve(serve);
    });
    AddCheckPolicy(app, check)->callback([this] { status = sockgate::CheckPolicy(check); });
    AddExplain(app, explain)->callback([this] { status = sockgate::Explain(explain); });
    AddReload(app, reload)->callback([this] { status = sockgate::Reload(reload); });
    AddRevoke(app, revoke)->callback([this] { status = sockgate::Revoke(revoke); });
    AddRotate(app, rotate)->callback([this] { status = sockgate::Rotate(rotate); });
    AddStatus(app, show)->callback([this] { status = sockgate::Status(show); });
    AddMetrics(app, metrics)->callback([this] { status = sockgate::Metrics(metrics); });
    AddLearn(app, learn)->callback([this] { status = sockgate::Learn(learn); });
  }

  sockgate::FetchCommand fetch;
  sockgate::ServeOptions serve;
  std::string cage = "full";
  std::string overflow = "deny";
  double finish_s = 5;
  sockgate::CheckPolicyOptions check;
  sockgate::ExplainOptions explain;
  sockgate::ReloadOptions reload;
  sockgate::RevokeOptions revoke;
  sockgate::RotateOptions rotate;
  sockgate::StatusOptions show;
  sockgate::MetricsOptions metrics;
  sockgate::LearnOptions learn;
  int status = 0;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Sockets for processes that may not open any", "sockgate");
  app.require_subcommand(1);
  app.formatter(std::make_shared<sockgate::HelpText>());
  app.set_help_flag("-h,--help", "this screen");
  app.set_version_flag("-V,--version", &sockgate::VersionText, "which this is");
  app.footer("More: man sockgate");
  Commands commands(app);
  std::string wrong;
  if (argc > 1 && argv[1][0] != '-') wrong = sockgate::UnknownCommand(app, argv[1]);
  try {
    if (wrong.empty()) app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    wrong = sockgate::UsageError(app, error);
  }
  if (wrong.empty()) return commands.status;
  std::fprintf(stderr, "%s\n", wrong.c_str());
  return sockgate::kExitUsage;
}
