#include "broker/control/reloader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "broker/policy/finding_text.h"

namespace sockgate {
namespace {

// What one reload may tell the operator.
constexpr size_t kMaxLines = 20;

bool IsError(const Finding& finding) { return finding.severity == Finding::Severity::kError; }

}  // namespace

Reloader::Reloader(Broker* broker, std::string path, OperatorLog* log, Loader load)
    : broker_(broker), path_(std::move(path)), log_(log), load_(std::move(load)) {
  state_.loaded_at = std::chrono::system_clock::now();
}

ReloadReport Reloader::Reload(const OrderedBy& by) {
  const std::lock_guard<std::mutex> one_at_a_time(reloading_);
  ReloadReport report;
  report.loaded = Load(&report.findings, by);
  report.generation = broker_->generation();
  Remember(report);
  Tell(report);
  NoteIfRejected(report, by);
  return report;
}

Reloader::State Reloader::state() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return state_;
}

bool Reloader::Load(std::vector<Finding>* findings, const OrderedBy& by) {
  LoadedPolicy loaded = load_(path_);
  *findings = std::move(loaded.findings);
  if (!loaded.policy.has_value()) return false;
  const absl::Status status =
      broker_->Replace(std::move(loaded.policy->roles), std::move(loaded.policy->listen),
                       loaded.policy->resolver, by);
  if (status.ok()) {
    broker_->SetLimits(loaded.policy->limits);
    broker_->SetAuditOverflow(loaded.policy->audit_overflow);
    return true;
  }
  Finding finding;
  finding.message = std::string{status.message()};
  findings->push_back(std::move(finding));
  return false;
}

void Reloader::Remember(const ReloadReport& report) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Time now = std::chrono::system_clock::now();
  if (report.loaded) {
    state_ = {now, std::nullopt};
  } else {
    state_.last_error = Failure{now, report.findings};
  }
}

void Reloader::Tell(const ReloadReport& report) const {
  const std::vector<Finding>& findings = report.findings;
  for (size_t i = 0; i < std::min(findings.size(), kMaxLines); ++i) {
    log_->Line(FindingText(path_, findings[i]));
  }
  if (findings.size() > kMaxLines) {
    log_->Line(absl::StrCat(path_, ": ", findings.size() - kMaxLines, " findings more"));
  }
  log_->Line(absl::StrCat("sockgate broker: policy ", report.loaded ? "loaded" : "rejected",
                          "; policy ", report.generation, " is in force"));
}

void Reloader::NoteIfRejected(const ReloadReport& report, const OrderedBy& by) const {
  if (report.loaded) return;
  const auto first = std::find_if(report.findings.begin(), report.findings.end(), IsError);
  broker_->NoteRejected(first == report.findings.end() ? path_ : FindingText(path_, *first), by);
}

}  // namespace sockgate
