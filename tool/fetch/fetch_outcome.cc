#include "tool/fetch/fetch_outcome.h"

#include <curl/curl.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "client/url_host.h"
#include "nlohmann/json.hpp"
#include "tool/exit_status.h"
#include "tool/fetch/shown_url.h"
#include "tool/fetch/terminal_text.h"
#include "tool/fetch_failure.h"

namespace sockgate {
namespace {

using nlohmann::ordered_json;

bool EndedByItsWorker(Fate fate) { return fate != Fate::kEnded && fate != Fate::kCancelled; }

// Of what ended because of its worker.
absl::string_view AdviceOn(Fate fate) {
  switch (fate) {
    case Fate::kInterrupted:
      return "; what is no GET is not sent twice by itself: see whether it has arrived";
    case Fate::kCrashed:
    case Fate::kHung:
    case Fate::kMisbehaved:
      return "; it was alone there, so this URL is what brought the worker down";
    default:
      return "";
  }
}

double Seconds(uint64_t microseconds) { return static_cast<double>(microseconds) / 1e6; }

ordered_json TimingsJson(const Timings& timings) {
  ordered_json json;
  json["lookup"] = Seconds(timings.dns);
  json["connect"] = Seconds(timings.connect);
  json["tls"] = Seconds(timings.tls);
  json["first_byte"] = Seconds(timings.first_byte);
  json["redirect"] = Seconds(timings.redirect);
  json["total"] = Seconds(timings.total);
  return json;
}

// What is not there is null: an empty text, or a number that is none.
template <typename T>
ordered_json OrNull(const T& value) {
  return value == T() ? ordered_json(nullptr) : ordered_json(value);
}

std::string FirstHop(const FetchOutcome& outcome) {
  if (!outcome.proxy.empty()) return outcome.proxy;
  const std::string& effective = outcome.result.effective_url;
  return effective.empty() ? outcome.url : effective;
}

// How the last connect or lookup ended, where that is what ended the transfer.
bool IsDenied(const FetchOutcome& outcome, int exit_status) {
  return exit_status == kExitDenied || (exit_status == kExitLimited && !outcome.result.error.ok());
}

}  // namespace

int FetchOutcome::ExitStatus(const FetchPolicy& policy) const {
  if (!output.ok()) return absl::IsDataLoss(output) ? kExitBroker : CURLE_WRITE_ERROR;
  // A worker that was taken over may say any number: 256 would be 0 to a shell.
  if (EndedByItsWorker(result.fate) || result.code >= kExitDenied) return kExitBroker;
  const auto code = static_cast<CURLcode>(result.code);
  if (result.error.kind == ConnectError::Kind::kLookup && result.error.error_number == EAGAIN &&
      policy.WasOutOfTime(Seconds(result.timings.total))) {
    return CURLE_OPERATION_TIMEDOUT;
  }
  return sockgate::ExitStatus(code, result.error);
}

std::string FetchOutcome::Message(const FetchPolicy& policy, int exit_status) const {
  std::string text =
      absl::StrCat(where, where.empty() ? "" : ": ", ShownUrl(url), ": (", exit_status, ") ");
  if (!output.ok()) {
    absl::StrAppend(&text, output.message());
  } else if (EndedByItsWorker(result.fate)) {
    absl::StrAppend(&text, result.text, AdviceOn(result.fate));
  } else {
    absl::StrAppend(&text, result.text);
    if (IsDenied(*this, exit_status)) {
      const bool connecting = result.code == CURLE_COULDNT_CONNECT;
      absl::StrAppend(&text, policy.Advice(result.error, FirstHop(*this),
                                           connecting ? result.address : "", result.port));
    }
    absl::StrAppend(&text, AdviceOn(exit_status));
  }
  if (retries != 0)
    absl::StrAppend(&text, " (after ", retries, retries == 1 ? " retry)" : " retries)");
  return TerminalLine(text);
}

std::string FetchOutcome::Trace(const FetchPolicy& policy) const {
  // What went wrong the message says.
  if (result.verdict != BrokerVerdict::kAllowed) return "";
  std::string text = "* ";
  const auto host = HostOfUrl(FirstHop(*this));
  if (host.has_value() && !host->is_literal) absl::StrAppend(&text, host->name, " at ");
  const bool is_v6 = result.address.find(':') != std::string::npos;
  absl::StrAppend(&text, is_v6 ? "[" : "", result.address, is_v6 ? "]:" : ":", result.port, ": ");
  absl::StrAppend(&text, "allowed by rule ", result.rule, " (", policy.Source(result.rule), ")");
  if (result.redirects != 0) absl::StrAppend(&text, ", after ", result.redirects, " redirects");
  return TerminalLine(text);
}

std::string FetchOutcome::Json(const FetchPolicy& policy, int exit_status) const {
  ordered_json json;
  json["number"] = number;
  json["url"] = url;
  json["effective_url"] = OrNull(result.effective_url);
  json["exit_status"] = exit_status;
  json["error"] =
      exit_status == 0 ? ordered_json(nullptr) : ordered_json(Message(policy, exit_status));
  json["status"] = OrNull(result.status);
  json["content_type"] = OrNull(result.content_type);
  json["address"] = OrNull(result.address);
  json["port"] = OrNull(result.port);
  json["verdict"] = std::string(VerdictName(result.verdict));
  json["reason"] = result.error.reason == Reason::kNone
                       ? ordered_json(nullptr)
                       : ordered_json(std::string(Word(result.error.reason)));
  json["rule"] = OrNull(policy.Source(result.rule));
  json["redirects"] = result.redirects;
  json["retries"] = retries;
  json["bytes"] = result.body_bytes;
  json["file"] = OrNull(file);
  json["seconds"] = TimingsJson(result.timings);
  // What is no UTF-8 in what a server chose becomes U+FFFD.
  return json.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

}  // namespace sockgate
