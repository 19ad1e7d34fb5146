#include "tool/fetch_failure.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
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

std::string LetsThrough(absl::string_view option, absl::string_view what) {
  return absl::StrCat("; ", option, " ", what, " lets it through");
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

std::string Advice(const ConnectError& error, const std::string& url, const Endpoint* attempt) {
  if (error.kind != Kind::kDenied || error.reason == Reason::kUnspecified) return "";
  const auto host = HostOfUrl(url);
  if (!host.has_value()) return "";
  if (host->is_literal) {
    return attempt == nullptr ? "" : LetsThrough("--allow", attempt->ToString());
  }
  // FTP's data connection has a port that no URL names.
  const std::string port = attempt == nullptr ? host->port : absl::StrCat(attempt->port());
  const bool leads_elsewhere = IsAboutTheAddress(error.reason) && !IsLocalhost(host->name);
  const std::string what = absl::StrCat(host->name, ":", port);
  if (!leads_elsewhere) return LetsThrough("--allow", what);
  return absl::StrCat(": it leads to no public address", LetsThrough("--allow-private", what),
                      ", wherever it leads");
}

}  // namespace sockgate
