#include "tool/fetch/fetch_command.h"

#include "tool/seconds_range.h"
#include "tool/size_value.h"

namespace sockgate {
namespace {

// The n-th value of an option is that of its n-th place on the command line.
class InOrder {
 public:
  std::string Next(const CLI::Option* option) { return option->results().at(next_[option]++); }

 private:
  std::map<const CLI::Option*, size_t> next_;
};

// One value each time, however often.
CLI::Option* Repeated(CLI::Option* option, const char* type) {
  return option->type_name(type)->allow_extra_args(false);
}

}  // namespace

FetchCommand::FetchCommand(CLI::App& app)
    : fetch_(app.add_subcommand("fetch", "Fetch URLs from a confined worker")) {
  fetch_->footer(
      "WHAT is HOST:PORTS, *.DOMAIN:PORTS, CIDR:PORTS or public:PORTS; without any rule\n"
      "it is public:80,443. MODE is in-progress or connected. See man sockgate-fetch");
  AddSources();
  AddPolicy();
  AddRequest();
  AddLimits();
  AddOutput();
}

void FetchCommand::AddSources() {
  fetch_->add_option("url", options_.urls)->type_name("URL");
  fetch_->add_option("-i,--input-file", options_.input_file, "URLs, one a line")->type_name("FILE");
  fetch_->add_option("--jobs", options_.jobs, "at once (1)")
      ->check(CLI::Range(1U, 500U, ""))
      ->type_name("N");
  fetch_->add_option("--workers", options_.workers, "processes (1)")
      ->check(CLI::Range(1U, 64U, ""))
      ->type_name("N");
}

void FetchCommand::AddPolicy() {
  CLI::Option* policy =
      fetch_->add_option("--policy", options_.policy_file, "rules in a file")->type_name("FILE");
  Repeated(fetch_->add_option("--allow", options_.allow, "what to reach"), "WHAT")
      ->excludes(policy);
  Repeated(fetch_->add_option("--allow-private", options_.allow_private, "private addresses"),
           "WHAT")
      ->excludes(policy);
  Repeated(fetch_->add_option("--deny", options_.deny, "never reach this"), "WHAT")
      ->excludes(policy);
  fetch_->add_option("--role", options_.role, "a role of those")->needs(policy)->type_name("NAME");
  Repeated(fetch_->add_option("--dns-servers", options_.dns_servers, "not the system's"), "LIST")
      ->delimiter(',');
  fetch_->add_option("-x,--proxy", options_.proxy, "go through this")->type_name("URL");
  fetch_->add_option("--mode", mode_, "how to connect")
      ->check(CLI::IsMember({"connected", "in-progress"}))
      ->type_name("MODE");
}

void FetchCommand::AddRequest() {
  fetch_->add_option("-X,--request", options_.method, "not GET")->type_name("METHOD");
  Repeated(fetch_->add_option("-H,--header", options_.headers, "add to request"), "LINE");
  // Their values are read in the order of the command line.
  const auto add_data = [&](const char* names, const char* text, BodyPart::Kind kind) {
    CLI::Option* option = fetch_->add_option(names, CLI::callback_t(), text);
    Repeated(option, "DATA")->take_all();
    data_.emplace(option, kind);
  };
  add_data("-d,--data", "POST it; or @FILE", BodyPart::Kind::kData);
  add_data("--data-binary", "@FILE unchanged", BodyPart::Kind::kBinary);
  add_data("--data-raw", "@ means nothing", BodyPart::Kind::kText);
  fetch_->add_flag("--compressed", options_.compressed, "ask for gzip etc.");
  fetch_->add_option("--cacert", options_.ca_file, "whom to trust")->type_name("FILE");
  fetch_->add_flag("-k,--insecure", options_.insecure, "trust any server");
  fetch_->add_flag("-L,--location", options_.follow, "follow redirects");
  fetch_->add_option("--max-redirs", options_.max_redirects, "at most (20)")
      ->check(CLI::Range(-1, 1'000'000, ""))
      ->type_name("N");
}

void FetchCommand::AddLimits() {
  fetch_->add_flag("-f,--fail", options_.fail, "HTTP 400+ fails");
  fetch_->add_option("--connect-timeout", options_.connect_timeout_s, "to connect (60)")
      ->type_name("SECS")
      ->check(SecondsRange(0.001, 150));
  fetch_->add_option("-m,--max-time", options_.max_time_s, "for each attempt")
      ->type_name("SECS")
      ->check(SecondsRange(0, 1e6));
  fetch_->add_option("--max-filesize", options_.max_filesize, "as 100k, 5M, 1G")
      ->transform(SizeValue())
      ->type_name("SIZE");
  fetch_->add_option("--retry", options_.retries, "what may pass")
      ->check(CLI::Range(0U, 1'000'000U, ""))
      ->type_name("N");
  fetch_->add_option("--retry-delay", options_.retry_delay_s, "not 1, 2, 4, ...")
      ->check(SecondsRange(0, 1e6))
      ->type_name("SECS");
  fetch_->add_option("--retry-max-time", options_.retry_max_time_s, "then no more")
      ->check(SecondsRange(0, 1e6))
      ->type_name("SECS");
}

void FetchCommand::AddOutput() {
  output_ = fetch_->add_option("-o,--output", CLI::callback_t(), "one for each URL");
  Repeated(output_, "FILE")->take_all();
  remote_name_ = fetch_->add_flag("-O,--remote-name", "name as in URL");
  fetch_->add_flag("--remote-name-all", options_.remote_name_all, "for every URL");
  fetch_->add_option("--output-dir", options_.output_dir, "for -o and -O")->type_name("DIR");
  fetch_->add_flag("--no-clobber", options_.no_clobber, "keep old files");
  fetch_->add_flag("--json", options_.json, "results per line");
  fetch_->add_flag("-s,--silent", options_.silent, "no bar, no errors");
  fetch_->add_flag("-S,--show-error", options_.show_error, "but errors");
  fetch_->add_flag("-v,--verbose", options_.verbose, "say which rule");
  fetch_->add_option("--audit", options_.audit_file, "log of decisions")->type_name("FILE");
}

FetchOptions FetchCommand::Options() const {
  FetchOptions options = options_;
  options.mode = mode_ == "connected" ? ConnectMode::kConnected : ConnectMode::kInProgress;
  InOrder values;
  for (const CLI::Option* option : fetch_->parse_order()) {
    if (option == remote_name_) {
      options.outputs.push_back({true, ""});
    } else if (option == output_) {
      options.outputs.push_back({false, values.Next(option)});
    } else if (const auto data = data_.find(option); data != data_.end()) {
      options.data.push_back({data->second, values.Next(option)});
    }
  }
  return options;
}

}  // namespace sockgate
