#include "tool/status_text.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tool/human_number.h"
#include "tool/printable_text.h"
#include "tool/role_tables.h"

namespace sockgate {
namespace {

using Reading = BrokerReading;
using Rate = StatusRates::Rate;

// "12 lines (3.4/s)"; nothing for what the broker does not say.
class Facts {
 public:
  void Add(const Reading::Count& count, const char* what, const Rate& rate = std::nullopt) {
    if (!count.has_value()) return;
    facts_.push_back(absl::StrCat(HumanCount(*count), what, PerSecond(rate)));
  }
  void Add(std::string fact) { facts_.push_back(std::move(fact)); }

  // One line after its title, or none.
  Lines After(const char* title) const {
    if (facts_.empty()) return {};
    return {absl::StrCat(title, absl::StrJoin(facts_, ", "))};
  }

 private:
  static std::string PerSecond(const Rate& rate) {
    return rate.has_value() ? absl::StrCat(" (", HumanRate(*rate), "/s)") : "";
  }

  std::vector<std::string> facts_;
};

void Append(Lines* lines, const Lines& more) {
  lines->insert(lines->end(), more.begin(), more.end());
}

// With an empty line before them.
void AppendApart(Lines* lines, const Lines& more) {
  if (!more.empty()) lines->emplace_back();
  Append(lines, more);
}

Lines PolicyLines(const Reading::Policy& policy, size_t most_findings) {
  Lines lines = {absl::StrCat("policy ", policy.generation, " of ", PrintableText(policy.file),
                              ", loaded at ", PrintableText(policy.loaded_at))};
  if (!policy.last_error.has_value()) return lines;
  const Lines& findings = policy.last_error->findings;
  lines.push_back(
      absl::StrCat("the last reload, at ", PrintableText(policy.last_error->at), ", failed:"));
  for (size_t i = 0; i < findings.size() && i < most_findings; ++i) {
    lines.push_back(absl::StrCat("  ", PrintableText(findings[i])));
  }
  if (findings.size() > most_findings) {
    lines.push_back(absl::StrCat("  (and ", findings.size() - most_findings, " more)"));
  }
  return lines;
}

Lines UptimeLines(const Reading& reading) {
  Facts facts;
  if (reading.uptime_s.has_value()) facts.Add(absl::StrCat("up ", HumanSeconds(*reading.uptime_s)));
  if (!reading.started_at.empty()) {
    facts.Add(absl::StrCat("since ", PrintableText(reading.started_at)));
  }
  facts.Add(reading.threads, reading.threads == 1 ? " thread" : " threads");
  if (reading.stopping.value_or(false)) facts.Add("STOPPING: nothing new is begun");
  return facts.After("broker: ");
}

std::string PercentText(const Rate& share) {
  return share.has_value() ? absl::StrFormat(" (%.0f%%)", *share * 100) : "";
}

Lines ProcessLines(const Reading::Process& process, const StatusRates& rates) {
  Facts facts;
  if (process.descriptors.has_value() && process.descriptor_limit.has_value()) {
    facts.Add(
        absl::StrCat(*process.descriptors, " of ", *process.descriptor_limit, " descriptors"));
  } else {
    facts.Add(process.descriptors, " descriptors");
  }
  if (process.memory_bytes.has_value()) facts.Add(HumanBytes(*process.memory_bytes));
  if (process.cpu_us.has_value()) {
    facts.Add(HumanMicroseconds(*process.cpu_us) + " of CPU" + PercentText(rates.cpu_share));
  }
  facts.Add(process.wakeups, " wakeups", rates.wakeups);
  return facts.After("process: ");
}

Lines AuditLines(const Reading& reading, const StatusRates& rates) {
  if (!reading.audit.has_value()) return {};
  const Reading::Audit& audit = *reading.audit;
  Facts facts;
  facts.Add(audit.lines, " lines", rates.audit_lines);
  facts.Add(audit.lost, " lost");
  if (audit.waiting_bytes.has_value()) facts.Add(HumanBytes(*audit.waiting_bytes) + " waiting");
  if (audit.full.value_or(false)) facts.Add("FULL: requests are refused until it can be written");
  return facts.After("audit log: ");
}

std::string HitShare(const Reading::Resolver& resolver) {
  const auto hits = static_cast<double>(*resolver.cache_hits);
  const double all = hits + static_cast<double>(*resolver.cache_misses);
  return absl::StrCat(static_cast<int>(hits / all * 100), "% of lookups");
}

Lines ResolverLines(const Reading& reading, const StatusRates& rates) {
  if (!reading.resolver.has_value()) return {};
  const Reading::Resolver& resolver = *reading.resolver;
  Facts facts;
  facts.Add(resolver.state == "gone" ? "gone; no name is resolved until the broker starts anew"
                                     : PrintableText(resolver.state));
  if (resolver.state != "gone") facts.Add(resolver.questions, " questions under way");
  Facts cache;
  cache.Add(resolver.cache_entries, " entries");
  cache.Add(resolver.cache_hits, " hits", rates.cache_hits);
  cache.Add(resolver.cache_misses, " misses", rates.cache_misses);
  if (resolver.cache_hits.value_or(0) != 0 && resolver.cache_misses.has_value()) {
    cache.Add(HitShare(resolver));
  }
  Lines lines = facts.After("resolver: ");
  Append(&lines, cache.After("name cache: "));
  return lines;
}

Lines CutLines(const Reading& reading) {
  if (!reading.cut) return {};
  return {"(there is more than fits)"};
}

}  // namespace

Lines StatusLines(const Reading& reading) {
  Lines lines = PolicyLines(reading.policy, SIZE_MAX);
  Append(&lines, UptimeLines(reading));
  if (!reading.cage.empty()) lines.push_back(absl::StrCat("cage ", PrintableText(reading.cage)));
  Append(&lines, ProcessLines(reading.process, {}));
  Append(&lines, AuditLines(reading, {}));
  Append(&lines, ResolverLines(reading, {}));
  AppendApart(&lines, ConnectsTable(reading));
  AppendApart(&lines, TrafficTable(reading));
  AppendApart(&lines, DenialsTable(reading, nullptr));
  AppendApart(&lines, LimitsTable(reading));
  AppendApart(&lines, ListenTable(reading));
  AppendApart(&lines, CutLines(reading));
  return lines;
}

Lines LiveLines(const Reading& reading, const StatusRates& rates) {
  Lines lines = UptimeLines(reading);
  Append(&lines, PolicyLines(reading.policy, 1));
  if (rates.restarted) {
    lines.emplace_back("the broker has started anew; rates from the next time on");
  }
  AppendApart(&lines, LiveTable(reading, rates));
  AppendApart(&lines, DenialsTable(reading, &rates));
  AppendApart(&lines, LimitsTable(reading));
  lines.emplace_back();
  Append(&lines, ResolverLines(reading, rates));
  Append(&lines, AuditLines(reading, rates));
  Append(&lines, ProcessLines(reading.process, rates));
  AppendApart(&lines, CutLines(reading));
  return lines;
}

}  // namespace sockgate
