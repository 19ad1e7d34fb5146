#include "tool/fetch_failure.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "broker/policy/host_name.h"
#include "client/url_host.h"
#include "tool/exit_status.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;

// Whether an attempt that failed is what ended the transfer: it goes on after one address of many.
bool EndedByAttempt(CURLcode code) {
  return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
         code == CURLE_COULDNT_RESOLVE_PROXY;
}

bool IsAboutTheAddress(Reason reason) {
  return reason == Reason::kSpecialPurpose || reason == Reason::kEmbeddedAddress;
}

// Whose addresses --allow lets through though they are not public.
bool IsLocalhost(absl::string_view host) {
  const auto name = HostName::Parse(host);
  return name.ok() && name->is_localhost();
}

// A place that a rule would have to name.
struct Place {
  std::string host;  // a name, or an address as a URL has it
  std::string port;
  bool is_address = false;
  bool wherever_it_leads = false;
};

std::string OptionFor(const Place& place) {
  return absl::StrCat("; ", place.wherever_it_leads ? "--allow-private " : "--allow ", place.host,
                      ":", place.port, " lets it through");
}

// Addresses in a policy file have no brackets.
std::string EntryFor(const Place& place) {
  const std::string host(absl::StripSuffix(absl::StripPrefix(place.host, "["), "]"));
  return absl::StrCat("; { ", place.is_address ? "cidr" : "host", " = \"", host,
                      "\", ports = ", place.port, place.wherever_it_leads ? ", private = true" : "",
                      " } among the role's allow rules lets it through");
}

// The address as it was asked for, however oddly a URL has written it.
Place AddressOf(const Endpoint& attempt) {
  const std::string text = attempt.ToString();
  const size_t colon = text.rfind(':');
  return {text.substr(0, colon), text.substr(colon + 1), true};
}

std::string AdviceOnLimit(RulesIn rules) {
  return absl::StrCat("; --retry waits for it, ",
                      rules == RulesIn::kOptions ? "fewer --jobs ask for less at once"
                                                 : "a wider limit of the role lets it through");
}

}  // namespace

int ExitStatus(CURLcode code, const ConnectError& error) {
  if (!EndedByAttempt(code)) return code;
  switch (error.kind) {
    case Kind::kDenied:
      return kExitDenied;
    case Kind::kLimited:
      return kExitLimited;
    case Kind::kBrokerGone:
      return kExitBroker;
    default:
      return error.error_number == ETIMEDOUT ? CURLE_OPERATION_TIMEDOUT : code;
  }
}

std::string Advice(const ConnectError& error, const std::string& url, const Endpoint* attempt,
                   RulesIn rules) {
  if (error.kind == Kind::kLimited) return AdviceOnLimit(rules);
  if (error.kind != Kind::kDenied || error.reason == Reason::kUnspecified) return "";
  if (error.reason == Reason::kDenyRule) return "; without that rule it may be let through";
  const auto host = HostOfUrl(url);
  if (!host.has_value()) return "";
  const auto say = rules == RulesIn::kOptions ? OptionFor : EntryFor;
  if (host->is_literal) return attempt == nullptr ? "" : say(AddressOf(*attempt));
  // FTP's data connection has a port that no URL names.
  const std::string port = attempt == nullptr ? host->port : absl::StrCat(attempt->port());
  const bool leads_elsewhere = IsAboutTheAddress(error.reason) && !IsLocalhost(host->name);
  const std::string advice = say({host->name, port, false, leads_elsewhere});
  if (!leads_elsewhere) return advice;
  return absl::StrCat(": it leads to no public address", advice, ", wherever it leads");
}

absl::string_view AdviceOn(int exit_status) {
  switch (exit_status) {
    case CURLE_OPERATION_TIMEDOUT:
      return "; --retry tries it again, --connect-timeout and --max-time give it more time";
    case CURLE_COULDNT_CONNECT:
      return "; the policy lets it through: nothing listens there, or a firewall refuses";
    case CURLE_TOO_MANY_REDIRECTS:
      return "; --max-redirs lets it follow more";
    case CURLE_PEER_FAILED_VERIFICATION:
      return "; --cacert FILE trusts those who have signed it";
    case CURLE_FILESIZE_EXCEEDED:
      return "; --max-filesize lets more through";
    case CURLE_UNSUPPORTED_PROTOCOL:
      return "; only http, https, ftp and ftps are spoken, and redirects lead to http and https";
    default:
      return "";
  }
}

}  // namespace sockgate
