#include "broker/control/role_json.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace sockgate {
namespace {

using Json = nlohmann::ordered_json;

Json RequestsJson(const RequestCounts& counts, const char* done) {
  return {{"asked", counts.asked},     {"allowed", counts.allowed},
          {"denied", counts.denied},   {"would_deny", counts.would_deny},
          {"limited", counts.limited}, {"bad_request", counts.bad_request},
          {done, counts.done},         {"failed", counts.failed}};
}

Json LimitsJson(const RoleMetrics::ByReason& limits) {
  Json json = Json::object();
  for (size_t i = 0; i < limits.size(); ++i) {
    if (limits[i] != 0) json[std::string{Word(static_cast<Reason>(i))}] = limits[i];
  }
  return json;
}

Json DenialsJson(const RoleMetrics::ByRule& denials) {
  using Entry = std::pair<std::pair<uint32_t, Reason>, RoleMetrics::Denials>;
  std::vector<Entry> most(denials.begin(), denials.end());
  std::stable_sort(most.begin(), most.end(),
                   [](const Entry& a, const Entry& b) { return a.second.count > b.second.count; });
  most.resize(std::min(most.size(), kMostDenials));
  Json json = Json::array();
  for (const auto& [key, denied] : most) {
    json.push_back({{"reason", std::string{Word(key.second)}},
                    {"rule", key.first},
                    {"line", denied.line},
                    {"count", denied.count}});
  }
  return json;
}

// Cumulative, as a histogram of Prometheus is.
Json TimesJson(const ConnectTimes& times) {
  Json le = Json::array();
  uint64_t count = 0;
  for (size_t i = 0; i < ConnectTimes::kBounds.size(); ++i) {
    count += times.counts[i];
    le.push_back({ConnectTimes::kBounds[i], count});
  }
  return {{"count", count + times.counts.back()}, {"sum", times.sum_us}, {"le", std::move(le)}};
}

}  // namespace

Json RoleJson(const std::string& name, const BrokerStatus::Role& role) {
  Json json = {{"name", name},
               {"mode", role.mode == PolicyMode::kReport ? "report" : "enforce"},
               {"rules", role.rules},
               {"workers", role.workers},
               {"channels", role.channels}};
  if (role.removed) json["removed"] = true;
  json["pending"] = role.pending;
  json["unread"] = role.unread;
  json["tracked"] = role.tracked;
  json["connects"] = RequestsJson(role.metrics.connects, "connected");
  json["lookups"] = RequestsJson(role.metrics.lookups, "resolved");
  json["limits"] = LimitsJson(role.metrics.limits);
  json["denials"] = DenialsJson(role.metrics.denials);
  json["violations"] = role.metrics.violations;
  json["bytes_sent"] = role.metrics.bytes_sent;
  json["bytes_received"] = role.metrics.bytes_received;
  json["connect_us"] = TimesJson(role.metrics.connect_times);
  return json;
}

}  // namespace sockgate
