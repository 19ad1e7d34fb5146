#include "broker/policy/listen_reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "broker/policy/accounts.h"
#include "broker/policy/nearest_word.h"
#include "broker/policy/rule.h"
#include "broker/policy/toml_table.h"

namespace sockgate {
namespace {

// Missing, or of another type; of the two only the first is not said yet.
void Missing(const TomlValue& table, absl::string_view key, absl::string_view example,
             Findings* findings) {
  const auto has = [&](const TomlEntry& entry) { return entry.key == key; };
  if (std::any_of(table.table()->begin(), table.table()->end(), has)) return;
  findings->Error(table.at, absl::StrCat("[[listen]] has no '", key, "'"),
                  absl::StrCat("write ", key, " = ", example));
}

std::optional<std::string> ReadPath(TomlTable* table, const TomlValue& value, Findings* findings) {
  const TomlEntry* path = table->FindString("path");
  if (path == nullptr) {
    Missing(value, "path", "\"/run/sockgate/NAME\"", findings);
    return std::nullopt;
  }
  const std::string& text = *path->value.string();
  const absl::string_view fault = UnixPath::Fault(text);
  if (fault.empty()) return text;
  findings->Error(path->value.at, absl::StrCat(Quoted(text), " ", fault),
                  "write the whole path, as in \"/run/sockgate/NAME\"");
  return std::nullopt;
}

std::optional<std::string> ReadRoleName(TomlTable* table, const TomlValue& value,
                                        const std::vector<absl::string_view>& roles,
                                        Findings* findings) {
  const TomlEntry* role = table->FindString("role");
  if (role == nullptr) {
    Missing(value, "role", "\"NAME\"", findings);
    return std::nullopt;
  }
  const std::string& name = *role->value.string();
  if (std::find(roles.begin(), roles.end(), name) != roles.end()) return name;
  const absl::string_view nearest = NearestWord(name, roles);
  findings->Error(role->value.at, absl::StrCat("there is no role ", Quoted(name)),
                  nearest.empty() ? absl::StrCat("write a table [roles.NAME] for it")
                                  : absl::StrCat("write '", nearest, "'"));
  return std::nullopt;
}

// Three octal digits, with or without a zero before them.
std::optional<mode_t> ParseMode(absl::string_view text) {
  if (text.size() == 4 && text[0] == '0') text.remove_prefix(1);
  if (text.size() != 3) return std::nullopt;
  mode_t mode = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '7') return std::nullopt;
    mode = mode * 8 + static_cast<mode_t>(digit - '0');
  }
  return mode;
}

// All roles know all of them.
constexpr size_t kMostPaths = 1024;

constexpr absl::string_view kModeAdvice = "write mode = \"0660\"";

// connect(2) needs the permission to write.
void CheckWhoMayConnect(const TomlEntry* mode_entry, mode_t mode, Findings* findings) {
  if (mode_entry == nullptr) return;
  const size_t at = mode_entry->value.at;
  if ((mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0) {
    findings->Warn(at, "the mode lets nobody connect but root", std::string(kModeAdvice));
  }
  if ((mode & S_IWOTH) != 0) {
    findings->Warn(at, "the mode lets every user of this host connect",
                   "write mode = \"0660\" and a group, or name 'peers' in the role");
  }
}

// Nothing, and an error, when the mode is none.
std::optional<mode_t> ReadMode(TomlTable* table, mode_t otherwise) {
  const TomlEntry* entry = table->Find("mode");
  if (entry == nullptr) return otherwise;
  if (entry->value.string() == nullptr) {
    WrongType("mode", "a string of octal digits", entry->value, kModeAdvice, table->findings());
    return std::nullopt;
  }
  const auto mode = ParseMode(*entry->value.string());
  if (!mode.has_value()) {
    table->findings()->Error(entry->value.at,
                             absl::StrCat(Quoted(*entry->value.string()), " is no mode of a file"),
                             std::string(kModeAdvice));
  }
  return mode;
}

void CheckGroupMayConnect(const TomlEntry& group, mode_t mode, Findings* findings) {
  if ((mode & S_IWGRP) != 0) return;
  findings->Warn(group.key_at, "the mode does not let the group connect", std::string(kModeAdvice));
}

std::optional<ListenAt> ReadOne(const TomlValue& value, const std::vector<absl::string_view>& roles,
                                Findings* findings) {
  TomlTable table(*value.table(), "[[listen]]", findings);
  const auto path = ReadPath(&table, value, findings);
  const auto role = ReadRoleName(&table, value, roles, findings);
  ListenAt listen;
  if (const TomlEntry* owner = table.Find("owner")) {
    listen.owner = ReadUser("owner", owner->value, findings);
  }
  const TomlEntry* group = table.Find("group");
  if (group != nullptr) listen.group = ReadGroup("group", group->value, findings);
  const auto mode = ReadMode(&table, listen.mode);
  if (group != nullptr && mode.has_value()) CheckGroupMayConnect(*group, *mode, findings);
  if (mode.has_value()) CheckWhoMayConnect(table.Find("mode"), *mode, findings);
  table.Finish();
  if (!path.has_value() || !role.has_value()) return std::nullopt;
  listen.path = *path;
  listen.role = *role;
  listen.mode = mode.value_or(listen.mode);
  listen.line = findings->source().At(value.at).line;
  return listen;
}

}  // namespace

std::vector<ListenAt> ReadListen(const TomlEntry* listen,
                                 const std::vector<absl::string_view>& roles, Findings* findings) {
  constexpr absl::string_view kAdvice = "write a table [[listen]]";
  std::vector<ListenAt> all;
  absl::flat_hash_map<std::string, uint32_t> lines;
  if (listen == nullptr) return all;
  if (listen->value.array() == nullptr) {
    WrongType("listen", "an array of tables", listen->value, kAdvice, findings);
    return all;
  }
  for (const TomlValue& value : *listen->value.array()) {
    if (all.size() == kMostPaths) {
      findings->Error(value.at, absl::StrCat("there are more than ", kMostPaths, " paths"),
                      "write fewer: many workers may share one");
      break;
    }
    if (value.table() == nullptr) {
      WrongType("listen", "an array of tables", value, kAdvice, findings);
      continue;
    }
    auto one = ReadOne(value, roles, findings);
    if (!one.has_value()) continue;
    const auto [first, is_new] = lines.emplace(one->path, one->line);
    if (!is_new) {
      findings->Error(value.at,
                      absl::StrCat(Quoted(one->path), " is taken by line ", first->second),
                      "write another path, or remove one of the two tables");
      continue;
    }
    all.push_back(*std::move(one));
  }
  return all;
}

}  // namespace sockgate
