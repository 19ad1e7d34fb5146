#include "tool/fetch_failure.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "broker/policy/embedded_v4.h"
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

using Places = std::vector<Place>;

std::string Option(const Place& place) {
  return absl::StrCat(place.wherever_it_leads ? "--allow-private " : "--allow ", place.host, ":",
                      place.port);
}

// Addresses in a policy file have no brackets.
std::string Entry(const Place& place) {
  const std::string host(absl::StripSuffix(absl::StripPrefix(place.host, "["), "]"));
  return absl::StrCat("{ ", place.is_address ? "cidr" : "host", " = \"", host,
                      "\", ports = ", place.port, place.wherever_it_leads ? ", private = true" : "",
                      " }");
}

std::string Opening(const Places& places, RulesIn rules) {
  std::vector<std::string> words;
  if (rules == RulesIn::kDefault) words.push_back(absl::StrCat("--allow ", kDefaultAllow));
  for (const Place& place : places) {
    words.push_back(rules == RulesIn::kPolicyFile ? Entry(place) : Option(place));
  }
  const bool in_file = rules == RulesIn::kPolicyFile;
  return absl::StrCat("; ", absl::StrJoin(words, in_file ? ", " : " "),
                      in_file ? " among the role's allow rules" : "",
                      words.size() == 1 ? " lets" : " let", " it through");
}

// The address as it was asked for, however oddly a URL has written it.
Place AddressOf(const Endpoint& attempt) {
  const std::string text = attempt.ToString();
  const size_t colon = text.rfind(':');
  return {text.substr(0, colon), text.substr(colon + 1), true};
}

// Both must be let through, unless it is the address within alone that is not.
Places AllOf(const Endpoint& attempt, Reason reason) {
  Places places;
  if (reason != Reason::kEmbeddedAddress) places.push_back(AddressOf(attempt));
  for (const EmbeddedV4& within : FindEmbeddedV4(attempt.ip())) {
    places.push_back(AddressOf(Endpoint::Ip(within.address, attempt.port())));
  }
  return places;
}

// ": it stands for 10.0.0.1 (NAT64)", which is what the rule judged.
std::string StandsFor(const IpAddress& address) {
  std::vector<std::string> all;
  for (const EmbeddedV4& within : FindEmbeddedV4(address)) {
    all.push_back(absl::StrCat(within.address.ToString(), " (", within.form, ")"));
  }
  return all.empty() ? "" : absl::StrCat(": it stands for ", absl::StrJoin(all, " or "));
}

bool GivesOutCredentials(const IpAddress& address) {
  static constexpr const char* kServices[] = {"169.254.169.254", "169.254.170.2", "100.100.100.200",
                                              "fd00:ec2::254"};
  return std::any_of(std::begin(kServices), std::end(kServices),
                     [&](const char* service) { return IpAddress::Parse(service) == address; });
}

bool IsLinkLocal(const IpAddress& address) {
  const uint8_t* const data = address.data();
  return address.is_v4() ? data[0] == 169 && data[1] == 254
                         : data[0] == 0xfe && (data[1] & 0xc0) == 0x80;
}

constexpr absl::string_view kMetadataService =
    "; that is a cloud's metadata service, which gives out this machine's credentials: leave it "
    "closed";

// Of what nobody should open because a message says how; empty of all else.
absl::string_view WarningOn(const IpAddress& address) {
  if (GivesOutCredentials(address)) return kMetadataService;
  if (IsLinkLocal(address)) {
    return "; that is a link-local address, where machines of this network and services of a cloud "
           "answer: leave it closed unless you know which";
  }
  for (const EmbeddedV4& within : FindEmbeddedV4(address)) {
    const absl::string_view warning = WarningOn(within.address);
    if (!warning.empty()) return warning;
  }
  return "";
}

bool IsMetadataName(absl::string_view host) {
  return host == "metadata.google.internal" || host == "metadata.goog";
}

std::string AdviceOnLimit(RulesIn rules) {
  return absl::StrCat("; --retry waits for it, ", rules == RulesIn::kPolicyFile
                                                      ? "a wider limit of the role lets it through"
                                                      : "fewer --jobs ask for less at once");
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
  const std::string what = attempt == nullptr ? "" : StandsFor(attempt->ip());
  if (error.reason == Reason::kDenyRule) {
    return absl::StrCat(what, "; without that rule it may be let through");
  }
  const auto host = HostOfUrl(url);
  if (!host.has_value()) return "";
  if (IsMetadataName(host->name)) return std::string(kMetadataService);
  if (attempt != nullptr) {
    const absl::string_view warning = WarningOn(attempt->ip());
    if (!warning.empty()) return absl::StrCat(what, warning);
  }
  if (host->is_literal) {
    if (attempt == nullptr) return "";
    return absl::StrCat(what, Opening(AllOf(*attempt, error.reason), rules));
  }
  // FTP's data connection has a port that no URL names.
  const std::string port = attempt == nullptr ? host->port : absl::StrCat(attempt->port());
  const bool leads_elsewhere = IsAboutTheAddress(error.reason) && !IsLocalhost(host->name);
  const std::string advice = Opening({{host->name, port, false, leads_elsewhere}}, rules);
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
