// The command `sockgate`.

#include <cstdio>

#include "CLI/CLI.hpp"
#include "tool/fetch.h"
#include "tool/serve.h"

namespace {

void AddFetch(CLI::App& app, sockgate::FetchOptions& options, std::string& mode) {
  CLI::App* fetch = app.add_subcommand("fetch", "Fetch URLs from a confined worker");
  fetch->add_option("url", options.urls, "What to fetch, one after the other")->required();
  fetch
      ->add_option(
          "--allow", options.allow,
          "What the worker may reach: HOST:PORTS or CIDR:PORTS (IPv6 in brackets), such as\n"
          "example.com:443, 192.0.2.0/24:80,443 or [2001:db8::/32]:*. Without it: nothing.\n"
          "May be repeated")
      ->type_name("WHAT")
      ->allow_extra_args(false);
  fetch->add_option("-o,--output", options.outputs, "Write to a file; once for each URL")
      ->type_name("FILE")
      ->allow_extra_args(false);
  fetch->add_option("--mode", mode, "How the broker connects: in-progress (default) or connected")
      ->check(CLI::IsMember({"connected", "in-progress"}));
  fetch->add_flag("-L,--location", options.follow,
                  "Follow redirects (to hosts named here, in a URL or --allow)");
  fetch->add_option("--max-redirs", options.max_redirects, "Follow at most this many, default 20");
  fetch->add_flag("-f,--fail", options.fail, "An HTTP status of 400 or more is an error");
  fetch->add_flag("-k,--insecure", options.insecure, "Do not check certificates");
  fetch->add_flag("-s,--silent", options.silent, "No progress");
  fetch->add_flag("-v,--verbose", options.verbose, "Say how each connection came to be");
  fetch->add_option("--connect-timeout", options.connect_timeout_s, "Seconds, default 60")
      ->check(CLI::Range(0.001, 150.0));
  fetch->add_option("-m,--max-time", options.max_time_s, "Seconds for each transfer, default none")
      ->check(CLI::Range(0.0, 1e6));
  fetch->add_option("--cacert", options.ca_file, "Trust these certificates instead")
      ->type_name("FILE");
  fetch->add_option("--audit", options.audit_file, "Append the broker's audit log")
      ->type_name("FILE");
}

void AddServe(CLI::App& app, sockgate::ServeOptions& options) {
  CLI::App* serve = app.add_subcommand("serve", "Run a broker on a path");
  serve->add_option("--listen", options.listen, "The UNIX socket that workers connect to")
      ->required()
      ->type_name("PATH");
  serve->add_option("--allow", options.allow, "What workers may reach: CIDR:PORTS; may be repeated")
      ->type_name("WHAT")
      ->allow_extra_args(false);
  serve->add_option("--deny", options.deny, "What they may not, whatever is allowed: CIDR:PORTS")
      ->type_name("WHAT")
      ->allow_extra_args(false);
  serve
      ->add_option("--audit", options.audit_file,
                   "Append the audit log to a file; default -, stderr")
      ->type_name("FILE");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("sockgate: sockets for processes that may not open any");
  app.require_subcommand(1);
  sockgate::FetchOptions fetch_options;
  std::string mode = "in-progress";
  AddFetch(app, fetch_options, mode);
  sockgate::ServeOptions serve_options;
  AddServe(app, serve_options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : sockgate::kExitUsage;
  }
  if (app.got_subcommand("serve")) return sockgate::Serve(serve_options);
  fetch_options.mode =
      mode == "connected" ? sockgate::ConnectMode::kConnected : sockgate::ConnectMode::kInProgress;
  return sockgate::Fetch(fetch_options);
}
