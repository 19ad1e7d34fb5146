#include "tool/status_rates.h"

namespace sockgate {
namespace {

using Reading = BrokerReading;
using Count = Reading::Count;

class Interval {
 public:
  explicit Interval(double seconds) : seconds_(seconds) {}

  std::optional<double> Rate(Count before, Count after) {
    if (!before.has_value() || !after.has_value()) return std::nullopt;
    if (*after < *before) {
      went_back_ = true;
      return std::nullopt;
    }
    return static_cast<double>(*after - *before) / seconds_;
  }

  bool went_back() const { return went_back_; }

 private:
  const double seconds_;
  bool went_back_ = false;
};

// Of what one policy denies; the next one begins anew. A list has no room for all of them, so of
// one that was not in it nothing is known.
std::map<Reading::Rule, double> DenialRates(const Reading::Role& before, const Reading::Role& after,
                                            Interval* interval) {
  std::map<Reading::Rule, double> rates;
  for (const auto& [rule, count] : after.denials) {
    const auto then = before.denials.find(rule);
    if (then == before.denials.end()) continue;
    const auto rate = interval->Rate(then->second, count);
    if (rate.has_value()) rates[rule] = *rate;
  }
  return rates;
}

StatusRates::Role RoleRates(const Reading::Role& before, const Reading::Role& after,
                            Interval* interval) {
  StatusRates::Role rates;
  rates.asked = interval->Rate(before.connects.asked, after.connects.asked);
  rates.denied = interval->Rate(before.connects.denied, after.connects.denied);
  rates.would_deny = interval->Rate(before.connects.would_deny, after.connects.would_deny);
  rates.limited = interval->Rate(before.connects.limited, after.connects.limited);
  rates.failed = interval->Rate(before.connects.failed, after.connects.failed);
  rates.lookups = interval->Rate(before.lookups.asked, after.lookups.asked);
  if (before.connect_times.has_value() && after.connect_times.has_value()) {
    rates.connect_times = after.connect_times->Since(*before.connect_times);
  }
  return rates;
}

bool IsAnother(const Reading& before, const Reading& after) {
  const bool known = !before.started_at.empty() && !after.started_at.empty();
  return known && before.started_at != after.started_at;
}

StatusRates OfTheWhole(const Reading& before, const Reading& after, Interval* interval) {
  StatusRates rates;
  const auto was = before.resolver.value_or(Reading::Resolver());
  const auto is = after.resolver.value_or(Reading::Resolver());
  rates.cache_hits = interval->Rate(was.cache_hits, is.cache_hits);
  rates.cache_misses = interval->Rate(was.cache_misses, is.cache_misses);
  rates.audit_lines = interval->Rate(before.audit.value_or(Reading::Audit()).lines,
                                     after.audit.value_or(Reading::Audit()).lines);
  rates.wakeups = interval->Rate(before.process.wakeups, after.process.wakeups);
  rates.cpu_share = interval->Rate(before.process.cpu_us, after.process.cpu_us);
  if (rates.cpu_share.has_value()) *rates.cpu_share /= 1e6;
  return rates;
}

}  // namespace

StatusRates RatesBetween(const Reading& before, const Reading& after, double seconds) {
  StatusRates none;
  if (!(seconds > 0)) return none;
  Interval interval(seconds);
  interval.Rate(before.uptime_s, after.uptime_s);
  StatusRates rates = OfTheWhole(before, after, &interval);
  Interval of_policy(seconds);
  for (const auto& [name, role] : after.roles) {
    const auto then = before.roles.find(name);
    if (then == before.roles.end()) continue;
    rates.roles[name] = RoleRates(then->second, role, &interval);
    if (before.policy.generation != after.policy.generation) continue;
    rates.roles[name].denials = DenialRates(then->second, role, &of_policy);
  }
  if (!interval.went_back() && !IsAnother(before, after)) return rates;
  none.restarted = true;
  return none;
}

}  // namespace sockgate
