#include "broker/control/control_reply.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "broker/control/control_limits.h"
#include "broker/control/role_json.h"
#include "broker/policy/finding_text.h"
#include "proto/check.h"

namespace sockgate {
namespace {

using Json = nlohmann::ordered_json;

// A finding may quote its file at any length.
constexpr size_t kMaxTextBytes = 1024;

// No item takes less than 32 bytes, so no more of them fit.
constexpr size_t kMostItems = kMaxControlReplyBytes / 32;

// Bytes that are not UTF-8, in a file's name or half of a character that was cut, are replaced.
std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What may be cut: the lists that are there.
std::vector<Json::array_t*> Lists(Json* reply) {
  std::vector<Json::array_t*> lists;
  for (const char* name : {"/findings", "/policy/last_error/findings", "/roles", "/listen"}) {
    const Json::json_pointer place{name};
    if (reply->contains(place)) lists.push_back(&reply->at(place).get_ref<Json::array_t&>());
  }
  return lists;
}

// Halves the list that takes the most room. There is one: what is not in a list, two times and the
// name of a file, which no system makes so long, fits.
void CutOne(Json* reply) {
  Json::array_t* longest = nullptr;
  size_t bytes = 0;
  for (Json::array_t* list : Lists(reply)) {
    const size_t size = Dump(*list).size();
    if (size > bytes) {
      longest = list;
      bytes = size;
    }
  }
  SOCKGATE_CHECK(longest != nullptr && !longest->empty());
  longest->resize(longest->size() / 2);
}

std::string Fit(Json reply) {
  bool cut = false;
  for (Json::array_t* list : Lists(&reply)) {
    cut |= list->size() > kMostItems;
    list->resize(std::min(list->size(), kMostItems));
  }
  if (cut) reply["cut"] = true;
  std::string text = Dump(reply);
  while (text.size() > kMaxControlReplyBytes) {
    CutOne(&reply);
    reply["cut"] = true;
    text = Dump(reply);
  }
  return text;
}

std::string TimeText(Reloader::Time time) {
  const time_t seconds = std::chrono::system_clock::to_time_t(time);
  tm utc = {};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text = {};
  strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

Json FindingsJson(const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"severity", std::string{Word(finding.severity)}},
                    {"line", finding.line},
                    {"column", finding.column},
                    {"message", finding.message.substr(0, kMaxTextBytes)},
                    {"advice", finding.advice.substr(0, kMaxTextBytes)}});
  }
  return list;
}

Json ListenJson(const ListenAt& at) {
  Json json = {{"path", at.path}, {"role", at.role}, {"mode", absl::StrFormat("%04o", at.mode)}};
  if (at.owner.has_value()) json["uid"] = *at.owner;
  if (at.group.has_value()) json["gid"] = *at.group;
  return json;
}

Json ProcessJson(const BrokerStatus& broker) {
  return {{"descriptors", broker.process.descriptors},
          {"descriptor_limit", broker.process.descriptor_limit},
          {"memory_bytes", broker.process.resident_bytes},
          {"wakeups", broker.wakeups},
          {"cpu_us", broker.process.cpu.count()}};
}

Json AuditJson(const BrokerStatus::Audit& audit) {
  return {{"lines", audit.lines},
          {"lost", audit.lost},
          {"waiting_bytes", audit.waiting_bytes},
          {"full", audit.full}};
}

// In words, and by what a program may want to test.
Json CageJson(const CageReport& cage) {
  return {{"level", confine::Word(cage.level)},
          {"in_force", cage.ToString()},
          {"uid", cage.user},
          {"gid", cage.group},
          {"capabilities", confine::CapabilityNames(cage.capabilities)},
          {"no_new_privs", cage.no_new_privileges},
          {"not_dumpable", cage.undumpable},
          {"landlock_abi", cage.landlock_abi},
          {"seccomp", cage.filtered}};
}

absl::string_view Word(ResolverState state) {
  switch (state) {
    case ResolverState::kAwaited:
      return "awaited";
    case ResolverState::kReady:
      return "ready";
    case ResolverState::kGone:
      return "gone";
  }
  return "gone";
}

}  // namespace

std::string ReloadReply(const std::string& file, const ReloadReport& report) {
  return Fit({{"loaded", report.loaded},
              {"generation", report.generation},
              {"file", file},
              {"findings", FindingsJson(report.findings)}});
}

std::string StatusReply(const std::string& file, const Reloader::State& state,
                        const BrokerStatus& broker) {
  Json last_error;
  if (state.last_error.has_value()) {
    last_error = {{"at", TimeText(state.last_error->at)},
                  {"findings", FindingsJson(state.last_error->findings)}};
  }
  Json reply = {{"policy",
                 {{"file", file},
                  {"generation", broker.generation},
                  {"loaded_at", TimeText(state.loaded_at)},
                  {"last_error", std::move(last_error)}}},
                {"started_at", TimeText(broker.started_at)},
                {"uptime_s", broker.uptime.count() / 1000},
                {"threads", broker.threads},
                {"stopping", broker.stopping},
                {"process", ProcessJson(broker)},
                {"audit", AuditJson(broker.audit)},
                {"cage", CageJson(broker.cage)},
                {"roles", Json::array()},
                {"listen", Json::array()}};
  for (const auto& [name, role] : broker.roles) reply["roles"].push_back(RoleJson(name, role));
  for (const ListenAt& at : broker.listen) reply["listen"].push_back(ListenJson(at));
  if (broker.resolver.has_value()) {
    reply["resolver"] = {{"state", std::string{Word(broker.resolver->state)}},
                         {"questions", broker.resolver->questions},
                         {"cache",
                          {{"entries", broker.resolver->cache.entries},
                           {"hits", broker.resolver->cache.hits},
                           {"misses", broker.resolver->cache.misses}}}};
  }
  return Fit(std::move(reply));
}

std::string RevokeReply(size_t ended) { return Dump({{"revoked", ended}}); }

std::string ErrorReply(absl::string_view why) { return Dump({{"error", std::string{why}}}); }

}  // namespace sockgate
