#include "broker/policy/role_reader.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "broker/policy/accounts.h"
#include "broker/policy/socket_options_reader.h"
#include "broker/policy/toml_table.h"

namespace sockgate {
namespace {

constexpr uint32_t kMostOfAKind = 1'000'000;
constexpr uint32_t kMostPatienceMs = 3'600'000;
// The client keeps one channel to ask for others.
constexpr uint32_t kFewestChannels = 2;
constexpr uint32_t kMostGraceMs = 86'400'000;
constexpr uint32_t kMostAgeS = 31'536'000;

void CheckName(const TomlEntry& entry, Findings* findings) {
  const std::string& name = entry.key;
  if (IsRoleName(name)) return;
  findings->Error(entry.key_at, absl::StrCat(Quoted(name), " is no name of a role"),
                  "write 1 to 64 letters, digits, '.', '_' and '-'");
}

void ReadMode(TomlTable* table, RoleDraft* draft) {
  const TomlEntry* mode = table->FindString("mode");
  if (mode == nullptr) return;
  const std::string& word = *mode->value.string();
  draft->mode_at = mode->key_at;
  if (word == "report") {
    draft->mode = PolicyMode::kReport;
  } else if (word != "enforce") {
    table->findings()->Error(mode->value.at, absl::StrCat(Quoted(word), " is no mode"),
                             "write \"enforce\" or \"report\"");
  }
}

// In the order of the file, which is the order of their numbers.
std::vector<PlacedRule> ReadRulesOf(TomlTable* table) {
  std::vector<std::pair<const TomlValue*, Decision>> values;
  for (const Decision decision : {Decision::kAllow, Decision::kDeny}) {
    const TomlEntry* list = table->FindArray(decision == Decision::kAllow ? "allow" : "deny");
    if (list == nullptr) continue;
    for (const TomlValue& value : *list->value.array()) values.push_back({&value, decision});
  }
  std::sort(values.begin(), values.end(),
            [](const auto& a, const auto& b) { return a.first->at < b.first->at; });
  std::vector<PlacedRule> rules;
  rules.reserve(values.size());
  for (const auto& [value, decision] : values) {
    ReadRules(decision, *value, table->findings(), &rules);
  }
  return rules;
}

template <typename Id>
void ReadPeersOfAKind(const TomlEntry* list, absl::string_view key,
                      std::optional<Id> (*read)(absl::string_view, const TomlValue&, Findings*),
                      Findings* findings, std::vector<Id>* ids) {
  if (list == nullptr) return;
  for (const TomlValue& value : *list->value.array()) {
    const auto id = read(key, value, findings);
    if (id.has_value()) ids->push_back(*id);
  }
}

// An empty list would let everybody in, which nobody means who writes it.
Peers ReadPeers(const TomlEntry& entry, Findings* findings) {
  TomlTable table(*entry.value.table(), "'peers'", findings);
  Peers peers;
  const TomlEntry* users = table.FindArray("users");
  const TomlEntry* groups = table.FindArray("groups");
  ReadPeersOfAKind(users, "users", ReadUser, findings, &peers.uids);
  ReadPeersOfAKind(groups, "groups", ReadGroup, findings, &peers.gids);
  table.Finish();
  const bool named = (users != nullptr && !users->value.array()->empty()) ||
                     (groups != nullptr && !groups->value.array()->empty());
  if (!named) {
    findings->Error(entry.value.at, "'peers' names nobody",
                    "write users = [...] or groups = [...], or remove 'peers'");
  }
  return peers;
}

// A burst that is not said is that of the usual rate, or one second's.
void ReadRate(TomlTable* table, const char* rate_key, const char* burst_key, uint32_t* rate,
              uint32_t* burst) {
  const bool has_rate = table->Find(rate_key) != nullptr;
  const auto said_rate = table->Integer(rate_key, 0, kMostOfAKind);
  const TomlEntry* burst_entry = table->Find(burst_key);
  const auto said_burst = table->Integer(burst_key, 1, kMostOfAKind);
  if (said_rate.has_value()) *burst = *said_rate;
  *rate = said_rate.value_or(*rate);
  *burst = *rate == 0 ? 0 : said_burst.value_or(*burst);
  const bool wrong_rate = has_rate && !said_rate.has_value();
  if (burst_entry != nullptr && *rate == 0 && !wrong_rate) {
    table->findings()->Error(burst_entry->key_at,
                             absl::StrCat("'", burst_key, "' means nothing without a rate"),
                             absl::StrCat("write ", rate_key, " = 10 too, or remove it"));
  }
}

// A limit that nobody keeps would be worse than none.
void ReadConnections(TomlTable* table, bool track, Limits* limits) {
  for (const char* key : {"max_connections", "max_connection_age_s"}) {
    const TomlEntry* entry = table->Find(key);
    if (track || entry == nullptr) continue;
    table->findings()->Error(entry->key_at,
                             absl::StrCat("'", key, "' means nothing without tracking"),
                             "write track = true in the role, or remove it");
  }
  limits->max_connections =
      table->Integer("max_connections", 1, kMostOfAKind).value_or(limits->max_connections);
  limits->max_connection_age_s =
      table->Integer("max_connection_age_s", 0, kMostAgeS).value_or(limits->max_connection_age_s);
}

Limits ReadLimits(const TomlValue::Table& entries, bool track, Findings* findings) {
  TomlTable table(entries, "'limits'", findings);
  Limits limits;
  limits.max_outstanding = static_cast<uint16_t>(
      table.Integer("max_outstanding", 1, kMaxOutstanding).value_or(limits.max_outstanding));
  limits.max_pending = table.Integer("max_pending", 1, kMostOfAKind).value_or(limits.max_pending);
  limits.max_channels =
      table.Integer("max_channels", kFewestChannels, kMostOfAKind).value_or(limits.max_channels);
  limits.max_lookups = table.Integer("max_lookups", 1, kMostOfAKind).value_or(limits.max_lookups);
  limits.max_leases = table.Integer("max_leases", 1, kMostOfAKind).value_or(limits.max_leases);
  limits.lease_grace_ms =
      table.Integer("lease_grace_ms", 0, kMostGraceMs).value_or(limits.lease_grace_ms);
  limits.unread_patience_ms =
      table.Integer("unread_patience_ms", 1, kMostPatienceMs).value_or(limits.unread_patience_ms);
  ReadRate(&table, "connects_per_second", "connect_burst", &limits.connects_per_second,
           &limits.connect_burst);
  ReadRate(&table, "lookups_per_second", "lookup_burst", &limits.lookups_per_second,
           &limits.lookup_burst);
  limits.max_deadline_ms =
      table.Integer("max_deadline_ms", 1, kMaxDeadlineMs).value_or(limits.max_deadline_ms);
  ReadConnections(&table, track, &limits);
  table.Finish();
  return limits;
}

uint32_t ReadTotal(TomlTable* table, const char* key) {
  return table->Integer(key, 1, kMostOfAKind).value_or(0);
}

RoleTotals ReadTotals(const TomlValue::Table& entries, Findings* findings) {
  TomlTable table(entries, "'total'", findings);
  RoleTotals totals;
  totals.max_workers = ReadTotal(&table, "max_workers");
  totals.max_channels = ReadTotal(&table, "max_channels");
  totals.max_pending = ReadTotal(&table, "max_pending");
  totals.max_lookups = ReadTotal(&table, "max_lookups");
  ReadRate(&table, "connects_per_second", "connect_burst", &totals.connects_per_second,
           &totals.connect_burst);
  ReadRate(&table, "lookups_per_second", "lookup_burst", &totals.lookups_per_second,
           &totals.lookup_burst);
  table.Finish();
  return totals;
}

}  // namespace

RoleDraft ReadRole(const TomlEntry& entry, Findings* findings) {
  RoleDraft draft;
  draft.role.name = entry.key;
  draft.at = entry.value.at;
  CheckName(entry, findings);
  if (entry.value.table() == nullptr) {
    WrongType(entry.key, "a table", entry.value, "write [roles.NAME]", findings);
    return draft;
  }
  TomlTable table(*entry.value.table(), "a role", findings);
  ReadMode(&table, &draft);
  draft.role.require_confined = table.Boolean("require_confined").value_or(false);
  const bool says_track = table.Find("track") != nullptr;
  const auto track = table.Boolean("track");
  draft.role.track = track.value_or(false);
  const TomlEntry* peers = table.FindTable("peers");
  if (peers != nullptr) draft.role.peers = ReadPeers(*peers, findings);
  draft.rules = ReadRulesOf(&table);
  if (const TomlEntry* limits = table.FindTable("limits")) {
    draft.role.limits = ReadLimits(*limits->value.table(), track.value_or(says_track), findings);
  }
  if (const TomlEntry* total = table.FindTable("total")) {
    draft.role.totals = ReadTotals(*total->value.table(), findings);
  }
  if (const TomlEntry* sockets = table.FindTable("sockets")) {
    draft.role.socket_options = ReadSocketOptions(*sockets->value.table(), findings);
  }
  table.Finish();
  return draft;
}

}  // namespace sockgate
