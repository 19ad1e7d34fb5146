#include "tool/prometheus_text.h"

#include <time.h>

#include <functional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tool/metric_family.h"

namespace sockgate {
namespace {

using Reading = BrokerReading;
using Role = Reading::Role;
using Requests = Reading::Requests;
using Labels = MetricFamily::Labels;

// "2026-01-02T03:04:05Z" in seconds since 1970.
std::optional<uint64_t> UnixTime(const std::string& text) {
  tm utc = {};
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const time_t seconds = timegm(&utc);
  if (seconds < 0) return std::nullopt;
  return static_cast<uint64_t>(seconds);
}

// All the metrics of one reading, one after the other.
class Exposition {
 public:
  explicit Exposition(const Reading& reading) : reading_(reading) {}

  void Number(const char* name, const char* type, const char* help, const Reading::Count& value) {
    MetricFamily family(name, type, help);
    family.Add(value);
    text_ += family.Text();
  }

  void Flag(const char* name, const char* help, const Reading::Flag& value) {
    MetricFamily family(name, "gauge", help);
    family.AddFlag(value);
    text_ += family.Text();
  }

  void Seconds(const char* name, const char* help, const Reading::Count& microseconds) {
    MetricFamily family(name, "counter", help);
    family.AddMicroseconds(microseconds);
    text_ += family.Text();
  }

  // A number of each role.
  void OfRoles(const char* name, const char* type, const char* help, Reading::Count Role::*count) {
    ForRoles(name, type, help, [=](const Role& role, const Labels& labels, MetricFamily* family) {
      family->Add(role.*count, labels);
    });
  }

  using AddRole = std::function<void(const Role& role, const Labels& labels, MetricFamily* family)>;
  void ForRoles(const char* name, const char* type, const char* help, const AddRole& add) {
    MetricFamily family(name, type, help);
    for (const auto& [role, numbers] : reading_.roles) add(numbers, {{"role", role}}, &family);
    text_ += family.Text();
  }

  // Numbers of a kind of requests, apart by a label.
  struct Kind {
    const char* label;
    Reading::Count Requests::*count;
  };
  void OfRequests(const char* name, const char* help, Requests Role::*requests, const char* label,
                  const std::vector<Kind>& kinds) {
    ForRoles(name, "counter", help,
             [&](const Role& role, const Labels& labels, MetricFamily* family) {
               for (const Kind& kind : kinds) {
                 Labels all = labels;
                 if (kind.label[0] != '\0') all.emplace_back(label, kind.label);
                 family->Add(role.*requests.*kind.count, all);
               }
             });
  }

  std::string Take() { return std::move(text_); }

 private:
  const Reading& reading_;
  std::string text_;
};

void AddBroker(const Reading& reading, Exposition* out) {
  out->Number("sockgate_start_time_seconds", "gauge", "When the broker started, since 1970.",
              UnixTime(reading.started_at));
  out->Number("sockgate_uptime_seconds", "gauge", "For how long the broker has run.",
              reading.uptime_s);
  out->Number("sockgate_threads", "gauge", "Threads that serve workers.", reading.threads);
  out->Flag("sockgate_stopping", "Whether the broker finishes what it has begun, and ends.",
            reading.stopping);
  out->Flag("sockgate_status_cut", "Whether some roles had no room in the broker's answer.",
            reading.cut);
}

void AddPolicy(const Reading::Policy& policy, Exposition* out) {
  out->Number("sockgate_policy_generation", "gauge",
              "Number of the policy in force: 1, and one more for each that took its place.",
              policy.generation);
  out->Number("sockgate_policy_loaded_time_seconds", "gauge",
              "When that policy came into force, since 1970.", UnixTime(policy.loaded_at));
  out->Flag("sockgate_policy_last_reload_successful", "Whether the last reload succeeded.",
            !policy.last_error.has_value());
}

void AddProcess(const Reading::Process& process, Exposition* out) {
  out->Number("sockgate_process_descriptors", "gauge", "Descriptors that the broker has open.",
              process.descriptors);
  out->Number("sockgate_process_descriptor_limit", "gauge", "How many descriptors it may open.",
              process.descriptor_limit);
  out->Number("sockgate_process_memory_bytes", "gauge", "Memory of the broker that is resident.",
              process.memory_bytes);
  out->Number("sockgate_process_wakeups_total", "counter",
              "How often an event loop of the broker woke up.", process.wakeups);
  out->Seconds("sockgate_process_cpu_seconds_total", "Processor time of the broker.",
               process.cpu_us);
}

void AddAudit(const Reading& reading, Exposition* out) {
  const Reading::Audit audit = reading.audit.value_or(Reading::Audit());
  out->Number("sockgate_audit_lines_total", "counter", "Lines of the audit log.", audit.lines);
  out->Number("sockgate_audit_lost_lines_total", "counter", "Lines that were only counted.",
              audit.lost);
  out->Number("sockgate_audit_waiting_bytes", "gauge", "Lines that wait to be written.",
              audit.waiting_bytes);
  out->Flag("sockgate_audit_full", "Whether requests are refused until lines can be written.",
            audit.full);
}

void AddResolver(const Reading& reading, Exposition* out) {
  if (!reading.resolver.has_value()) return;
  const Reading::Resolver& resolver = *reading.resolver;
  out->Flag("sockgate_resolver_ready", "Whether the process that resolves names is there.",
            resolver.state == "ready");
  out->Number("sockgate_resolver_questions", "gauge", "Questions that wait for the resolver.",
              resolver.questions);
  out->Number("sockgate_resolver_cache_entries", "gauge", "Answers in the cache.",
              resolver.cache_entries);
  out->Number("sockgate_resolver_cache_hits_total", "counter", "Lookups that the cache answered.",
              resolver.cache_hits);
  out->Number("sockgate_resolver_cache_misses_total", "counter",
              "Lookups that the cache could not answer.", resolver.cache_misses);
}

void AddRoles(Exposition* out) {
  out->ForRoles("sockgate_role_info", "gauge", "1; the mode is a label.",
                [](const Role& role, Labels labels, MetricFamily* family) {
                  labels.emplace_back("mode", role.removed ? "removed" : role.mode);
                  family->Add(1, labels);
                });
  out->OfRoles("sockgate_role_rules", "gauge", "Rules of the role.", &Role::rules);
  out->OfRoles("sockgate_role_workers", "gauge", "Workers of the role.", &Role::workers);
  out->OfRoles("sockgate_role_channels", "gauge", "Channels of its workers.", &Role::channels);
  out->OfRoles("sockgate_role_pending_connects", "gauge", "Handshakes that are not finished.",
               &Role::pending);
  out->OfRoles("sockgate_role_unread_replies", "gauge", "Replies that workers do not read.",
               &Role::unread);
  out->OfRoles("sockgate_role_tracked_connections", "gauge", "Tracked connections that are open.",
               &Role::tracked);
}

void AddConnects(Exposition* out) {
  out->OfRequests("sockgate_connect_requests_total", "Requests to connect.", &Role::connects, "",
                  {{"", &Requests::asked}});
  out->OfRequests("sockgate_connect_verdicts_total", "What the policy said of them.",
                  &Role::connects, "verdict",
                  {{"allow", &Requests::allowed}, {"deny", &Requests::denied}});
  out->OfRequests("sockgate_connect_would_deny_total",
                  "Those that were allowed because the role is in report mode.", &Role::connects,
                  "", {{"", &Requests::would_deny}});
  out->OfRequests("sockgate_connect_outcomes_total", "What came of those that were not denied.",
                  &Role::connects, "outcome",
                  {{"connected", &Requests::done},
                   {"failed", &Requests::failed},
                   {"limited", &Requests::limited},
                   {"bad-request", &Requests::bad_request}});
  out->ForRoles("sockgate_connect_duration_seconds", "histogram",
                "From a request's arrival to its connection.",
                [](const Role& role, const Labels& labels, MetricFamily* family) {
                  family->AddHistogram(role.connect_times, labels);
                });
}

void AddLookups(Exposition* out) {
  out->OfRequests("sockgate_lookup_requests_total", "Requests to resolve a name.", &Role::lookups,
                  "", {{"", &Requests::asked}});
  out->OfRequests("sockgate_lookup_verdicts_total", "What the policy said of the names.",
                  &Role::lookups, "verdict",
                  {{"allow", &Requests::allowed}, {"deny", &Requests::denied}});
  out->OfRequests("sockgate_lookup_would_deny_total",
                  "Those that were allowed because the role is in report mode.", &Role::lookups, "",
                  {{"", &Requests::would_deny}});
  out->OfRequests("sockgate_lookup_outcomes_total", "What came of those that were not denied.",
                  &Role::lookups, "outcome",
                  {{"resolved", &Requests::done},
                   {"failed", &Requests::failed},
                   {"limited", &Requests::limited},
                   {"bad-request", &Requests::bad_request}});
}

void AddRefusals(Exposition* out) {
  out->ForRoles("sockgate_limited_total", "counter", "Requests over a limit, by the limit.",
                [](const Role& role, const Labels& labels, MetricFamily* family) {
                  for (const auto& [reason, count] : role.limits) {
                    Labels all = labels;
                    all.emplace_back("reason", reason);
                    family->Add(count, all);
                  }
                });
  out->ForRoles("sockgate_denials_total", "counter",
                "Denials since the policy was loaded, by the rule that decided.",
                [](const Role& role, const Labels& labels, MetricFamily* family) {
                  for (const auto& [rule, count] : role.denials) {
                    Labels all = labels;
                    all.emplace_back("reason", rule.reason);
                    all.emplace_back("rule", absl::StrCat(rule.number));
                    all.emplace_back("line", absl::StrCat(rule.line));
                    family->Add(count, all);
                  }
                });
  out->OfRoles("sockgate_violations_total", "counter",
               "Channels that were closed because the worker broke the protocol.",
               &Role::violations);
}

void AddBytes(Exposition* out) {
  out->OfRoles("sockgate_tracked_sent_bytes_total", "counter",
               "What was sent over tracked connections that have ended.", &Role::bytes_sent);
  out->OfRoles("sockgate_tracked_received_bytes_total", "counter",
               "What was received over tracked connections that have ended.",
               &Role::bytes_received);
}

}  // namespace

std::string PrometheusText(const Reading& reading) {
  Exposition out(reading);
  AddBroker(reading, &out);
  AddPolicy(reading.policy, &out);
  AddProcess(reading.process, &out);
  AddAudit(reading, &out);
  AddResolver(reading, &out);
  AddRoles(&out);
  AddConnects(&out);
  AddLookups(&out);
  AddRefusals(&out);
  AddBytes(&out);
  return out.Take();
}

}  // namespace sockgate
