#include "tool/status_reader.h"

#include <limits>
#include <utility>

#include "tool/control_client.h"
#include "tool/json_field.h"

namespace sockgate {
namespace {

using nlohmann::json;
using Reading = BrokerReading;

Reading::Policy ReadPolicy(const json& policy) {
  Reading::Policy reading;
  reading.file = policy.at("file");
  reading.generation = CountIn(policy.at("generation")).value_or(0);
  reading.loaded_at = policy.at("loaded_at");
  const json& error = FieldOf(policy, "last_error");
  if (!error.is_null()) {
    reading.last_error = {error.at("at"), FindingLines(reading.file, error.at("findings"))};
  }
  return reading;
}

Reading::Process ReadProcess(const json& process) {
  return {CountOf(process, "descriptors"), CountOf(process, "descriptor_limit"),
          CountOf(process, "memory_bytes"), CountOf(process, "wakeups"),
          CountOf(process, "cpu_us")};
}

std::optional<Reading::Audit> ReadAudit(const json& audit) {
  if (!audit.is_object()) return std::nullopt;
  return Reading::Audit{CountOf(audit, "lines"), CountOf(audit, "lost"),
                        CountOf(audit, "waiting_bytes"), FlagOf(audit, "full")};
}

std::optional<Reading::Resolver> ReadResolver(const json& resolver) {
  if (!resolver.is_object()) return std::nullopt;
  const json& cache = FieldOf(resolver, "cache");
  return Reading::Resolver{TextOf(resolver, "state"), CountOf(resolver, "questions"),
                           CountOf(cache, "entries"), CountOf(cache, "hits"),
                           CountOf(cache, "misses")};
}

Reading::Requests ReadRequests(const json& requests, const char* done) {
  return {CountOf(requests, "asked"),   CountOf(requests, "allowed"),
          CountOf(requests, "denied"),  CountOf(requests, "would_deny"),
          CountOf(requests, "limited"), CountOf(requests, "bad_request"),
          CountOf(requests, done),      CountOf(requests, "failed")};
}

std::map<std::string, uint64_t> ReadLimits(const json& limits) {
  std::map<std::string, uint64_t> counts;
  if (!limits.is_object()) return counts;
  for (const auto& [reason, value] : limits.items()) {
    if (const auto count = CountIn(value); count.has_value()) counts[reason] = *count;
  }
  return counts;
}

uint64_t Sum(uint64_t a, uint64_t b) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  return a > kMost - b ? kMost : a + b;
}

std::map<Reading::Rule, uint64_t> ReadDenials(const json& denials) {
  std::map<Reading::Rule, uint64_t> counts;
  if (!denials.is_array()) return counts;
  for (const json& denial : denials) {
    const auto count = CountOf(denial, "count");
    if (!count.has_value()) continue;
    const Reading::Rule rule = {TextOf(denial, "reason"), CountOf(denial, "rule").value_or(0),
                                CountOf(denial, "line").value_or(0)};
    counts[rule] = Sum(counts[rule], *count);
  }
  return counts;
}

std::optional<LatencyHistogram> ReadTimes(const json& times) {
  const auto count = CountOf(times, "count");
  const auto sum = CountOf(times, "sum");
  const json& le = FieldOf(times, "le");
  if (!count.has_value() || !sum.has_value() || !le.is_array()) return std::nullopt;
  LatencyHistogram histogram = {*count, *sum, {}};
  for (const json& bucket : le) {
    if (!bucket.is_array() || bucket.size() != 2) return std::nullopt;
    const auto bound = CountIn(bucket[0]);
    const auto up_to = CountIn(bucket[1]);
    if (!bound.has_value() || !up_to.has_value()) return std::nullopt;
    histogram.buckets.push_back({*bound, *up_to});
  }
  if (!histogram.MakesSense()) return std::nullopt;
  return histogram;
}

Reading::Role ReadRole(const json& role) {
  Reading::Role reading;
  reading.mode = TextOf(role, "mode");
  reading.removed = FlagOf(role, "removed").value_or(false);
  reading.rules = CountOf(role, "rules");
  reading.workers = CountOf(role, "workers");
  reading.channels = CountOf(role, "channels");
  reading.pending = CountOf(role, "pending");
  reading.unread = CountOf(role, "unread");
  reading.tracked = CountOf(role, "tracked");
  reading.connects = ReadRequests(FieldOf(role, "connects"), "connected");
  reading.lookups = ReadRequests(FieldOf(role, "lookups"), "resolved");
  reading.limits = ReadLimits(FieldOf(role, "limits"));
  reading.denials = ReadDenials(FieldOf(role, "denials"));
  reading.violations = CountOf(role, "violations");
  reading.bytes_sent = CountOf(role, "bytes_sent");
  reading.bytes_received = CountOf(role, "bytes_received");
  reading.connect_times = ReadTimes(FieldOf(role, "connect_us"));
  return reading;
}

// Throws what nlohmann throws when a field is missing that every broker has.
Reading Read(const json& reply) {
  Reading reading;
  reading.policy = ReadPolicy(reply.at("policy"));
  for (const json& role : reply.at("roles")) reading.roles[role.at("name")] = ReadRole(role);
  const json& cage = FieldOf(reply, "cage");
  if (cage.is_object()) reading.cage = TextOf(cage, "level") + ": " + TextOf(cage, "in_force");
  reading.started_at = TextOf(reply, "started_at");
  reading.uptime_s = CountOf(reply, "uptime_s");
  reading.threads = CountOf(reply, "threads");
  reading.stopping = FlagOf(reply, "stopping");
  reading.process = ReadProcess(FieldOf(reply, "process"));
  reading.audit = ReadAudit(FieldOf(reply, "audit"));
  reading.resolver = ReadResolver(FieldOf(reply, "resolver"));
  for (const json& at : FieldOf(reply, "listen")) {
    if (!at.is_object()) continue;
    reading.listen.push_back({TextOf(at, "path"), TextOf(at, "role"), TextOf(at, "mode")});
  }
  reading.cut = FlagOf(reply, "cut").value_or(false);
  return reading;
}

}  // namespace

absl::StatusOr<BrokerReading> ReadStatus(const json& reply) {
  try {
    return Read(reply);
  } catch (const json::exception&) {
    return absl::InvalidArgumentError(
        "the broker's answer makes no sense: is it of another version?");
  }
}

}  // namespace sockgate
