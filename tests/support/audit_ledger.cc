#include "tests/support/audit_ledger.h"

#include <fstream>

#include "absl/strings/str_cat.h"

namespace sockgate::testing {
namespace {

using nlohmann::json;

// The one whose word it is; zero: it is none of them.
template <typename Enum>
Enum FromWord(absl::string_view word, uint8_t last) {
  for (uint8_t i = 1; i <= last; ++i) {
    if (Word(static_cast<Enum>(i)) == word) return static_cast<Enum>(i);
  }
  return Enum{};
}

Outcome OutcomeOf(const json& line) {
  return FromWord<Outcome>(line.at("outcome").get<std::string>(),
                           static_cast<uint8_t>(Outcome::kBadRequest));
}

Reason ReasonOf(const json& line) {
  return FromWord<Reason>(line.value("reason", ""), static_cast<uint8_t>(kLastReason));
}

bool NeedsNoDecision(Outcome outcome) {
  return outcome == Outcome::kLimited || outcome == Outcome::kBadRequest;
}

}  // namespace

void AuditLedger::AddText(absl::string_view text) {
  const json line = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (line.is_object() && line.contains("event")) {
    Add(line);
  } else {
    Fail(std::string{text}, "a torn line");
  }
}

void AuditLedger::AddFile(const std::string& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (file.eof()) break;
    AddText(line);
  }
}

void AuditLedger::Add(const json& line) {
  ++lines_;
  const std::string event = line.at("event");
  if (event == "decision" || event == "lookup") {
    Decide(line, &Of(line));
  } else if (event == "completion" || event == "answer") {
    Complete(line, &Of(line));
  } else if (event == "lost") {
    Fail(line, "lines were lost");
  } else if (line.contains("change")) {
    ++changes_[line.at("change")];
  }
}

AuditLedger::Request& AuditLedger::Of(const json& line) {
  std::vector<Request>& requests = channels_[line.at("channel")];
  const size_t request = line.at("request");
  if (requests.size() <= request) requests.resize(request + 1);
  return requests[request];
}

void AuditLedger::Decide(const json& line, Request* request) {
  const bool connect = line.at("event") == "decision";
  // A reload judges anew what waits for a name server, never what is connected.
  if (connect && request->decisions > 0) Fail(line, "decided twice");
  if (request->completions + request->answers > 0) Fail(line, "decided after its end");
  ++(connect ? request->decisions : request->lookups);
  request->lets_through = line.at("verdict") != "deny";
  if (!request->lets_through) ++(connect ? connects_ : lookups_)[Outcome::kDenied];
}

void AuditLedger::Complete(const json& line, Request* request) {
  const bool connect = line.at("event") == "completion";
  if (request->completions + request->answers > 0) Fail(line, "ended twice");
  ++(connect ? request->completions : request->answers);
  request->outcome = OutcomeOf(line);
  request->reason = ReasonOf(line);
  request->error = line.value("errno", uint16_t{0});
  ++(connect ? connects_ : lookups_)[request->outcome];
}

void AuditLedger::Fail(const json& line, const char* what) {
  if (fault_.empty()) fault_ = absl::StrCat(what, ": ", line.dump());
}

std::string AuditLedger::FaultOf(const Request& request) {
  const int verdicts = request.decisions + request.lookups;
  const int ends = request.completions + request.answers;
  if (request.is_connect() && request.is_lookup()) return "is a connect and a lookup";
  if (verdicts == 0 && ends == 1 && !NeedsNoDecision(request.outcome)) return "has no decision";
  if (verdicts > 0 && request.lets_through && ends == 0) return "has no end";
  if (verdicts > 0 && !request.lets_through && ends > 0) return "was denied and has an end";
  return "";
}

std::string AuditLedger::Fault() const {
  if (!fault_.empty()) return fault_;
  for (const auto& [channel, requests] : channels_) {
    for (size_t i = 0; i < requests.size(); ++i) {
      const std::string fault = FaultOf(requests[i]);
      if (!fault.empty()) return absl::StrCat("channel ", channel, ", request ", i, " ", fault);
    }
  }
  return "";
}

const AuditLedger::Request* AuditLedger::Find(uint64_t channel, uint32_t request) const {
  const auto found = channels_.find(channel);
  if (found == channels_.end() || request >= found->second.size()) return nullptr;
  const Request& one = found->second[request];
  return one.is_connect() || one.is_lookup() ? &one : nullptr;
}

uint64_t AuditLedger::Changes(const std::string& change) const {
  const auto found = changes_.find(change);
  return found == changes_.end() ? 0 : found->second;
}

uint64_t AuditLedger::Count(const Sums& sums, Outcome outcome) {
  const auto found = sums.find(outcome);
  return found == sums.end() ? 0 : found->second;
}

}  // namespace sockgate::testing
