#include "broker/policy/policy_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "broker/policy/findings.h"
#include "broker/policy/listen_reader.h"
#include "broker/policy/own_addresses.h"
#include "broker/policy/policy_lint.h"
#include "broker/policy/resolver_reader.h"
#include "broker/policy/role_reader.h"
#include "broker/policy/source_text.h"
#include "broker/policy/toml_table.h"
#include "broker/policy/toml_value.h"
#include "proto/unique_fd.h"

namespace sockgate {
namespace {

// All roles know all paths where the broker listens.
constexpr size_t kMostRoles = 256;

constexpr int64_t kVersion = 1;

Finding AboutFile(Finding::Severity severity, std::string message, std::string advice) {
  return {severity, 0, 0, std::move(message), std::move(advice)};
}

LoadedPolicy Unreadable(std::string message, std::string advice) {
  LoadedPolicy loaded;
  loaded.findings.push_back(
      AboutFile(Finding::Severity::kError, std::move(message), std::move(advice)));
  return loaded;
}

LoadedPolicy CannotBeRead(int error) {
  const char* const advice = error == EACCES || error == EPERM
                                 ? "let whoever runs this read it, and enter its folders"
                                 : "name a policy file that is there";
  return Unreadable(absl::StrCat("cannot be read: ", std::strerror(error)), advice);
}

// A file of another version may mean something else by the same words: nothing more is said of it.
bool CheckVersion(TomlTable* table, Findings* findings) {
  const TomlEntry* version = table->Find("version");
  if (version == nullptr) {
    findings->Error(0, "'version' is missing", "write version = 1 in the first line");
    return true;
  }
  const int64_t* number = version->value.integer();
  if (number != nullptr && *number == kVersion) return true;
  findings->Error(version->value.at,
                  number == nullptr
                      ? absl::StrCat("'version' must be an integer, not ", version->value.kind())
                      : absl::StrCat("version ", *number, " is not known here"),
                  "write version = 1");
  return false;
}

AuditOverflow ReadAuditOverflow(TomlTable* table) {
  const TomlEntry* entry = table->FindString("audit_overflow");
  if (entry == nullptr) return AuditOverflow::kDeny;
  const std::string& word = *entry->value.string();
  const auto overflow = ParseAuditOverflow(word);
  if (!overflow.has_value()) {
    table->findings()->Error(entry->value.at,
                             absl::StrCat("'audit_overflow' cannot be ", Quoted(word)),
                             "write \"deny\" or \"drop\"");
  }
  return overflow.value_or(AuditOverflow::kDeny);
}

std::vector<RoleDraft> ReadRoles(TomlTable* table) {
  Findings* findings = table->findings();
  std::vector<RoleDraft> drafts;
  const bool missing = table->Find("roles") == nullptr;
  const TomlEntry* roles = table->FindTable("roles");
  if (roles != nullptr) {
    for (const TomlEntry& entry : *roles->value.table()) {
      if (drafts.size() == kMostRoles) {
        findings->Error(entry.key_at, absl::StrCat("there are more than ", kMostRoles, " roles"),
                        "write fewer, or another file for another broker");
        break;
      }
      drafts.push_back(ReadRole(entry, findings));
    }
  }
  if (missing || (roles != nullptr && drafts.empty())) {
    findings->Error(0, "there is no role", "write a table [roles.NAME]");
  }
  return drafts;
}

OwnPlaces FindOwnPlaces(bool deny_own_addresses, const std::vector<ListenAt>& listen,
                        Findings* findings) {
  OwnPlaces own;
  for (const ListenAt& one : listen) own.paths.push_back(one.path);
  if (!deny_own_addresses) return own;
  auto addresses = OwnAddresses();
  if (addresses.ok()) {
    own.addresses = *std::move(addresses);
  } else {
    findings->Error(
        0, absl::StrCat("this host's addresses cannot be listed: ", addresses.status().message()),
        "write deny_own_addresses = false, and deny rules");
  }
  return own;
}

// A worker that may connect there gets as many channels as it likes, and of other roles.
void CheckNoWayToListeners(const RoleDraft& draft, const OwnPlaces& own, Findings* findings) {
  const absl::flat_hash_set<std::string> paths(own.paths.begin(), own.paths.end());
  for (const PlacedRule& placed : draft.rules) {
    const auto* unix_path = std::get_if<UnixPath>(&placed.rule.target);
    if (unix_path == nullptr || placed.rule.decision == Decision::kDeny) continue;
    if (!paths.contains(unix_path->path)) continue;
    findings->Error(placed.at,
                    absl::StrCat(Quoted(unix_path->path), " is where the broker listens"),
                    "remove it: a worker needs no rule to open another channel");
  }
}

Role Finish(RoleDraft draft, const OwnPlaces& own) {
  std::vector<Rule> rules;
  rules.reserve(draft.rules.size());
  for (PlacedRule& placed : draft.rules) rules.push_back(std::move(placed.rule));
  draft.role.policy = Policy(std::move(rules), draft.mode, own);
  return std::move(draft.role);
}

void Lint(const std::vector<RoleDraft>& drafts, const std::vector<ListenAt>& listen,
          const OwnPlaces& own, Findings* findings) {
  absl::flat_hash_set<std::string> listened_for;
  for (const ListenAt& one : listen) listened_for.insert(one.role);
  for (const RoleDraft& draft : drafts) {
    LintRole(draft, listened_for.contains(draft.role.name), own.addresses, findings);
  }
}

BrokerLimits ReadBrokerLimits(const TomlValue::Table& entries, Findings* findings) {
  constexpr uint32_t kMostDescriptors = 10'000'000;
  constexpr uint32_t kMostMib = 1'048'576;
  TomlTable table(entries, "'limits'", findings);
  BrokerLimits limits;
  limits.max_descriptors =
      table.Integer("max_descriptors", 1, kMostDescriptors).value_or(limits.max_descriptors);
  limits.max_memory_mib =
      table.Integer("max_memory_mib", 0, kMostMib).value_or(limits.max_memory_mib);
  table.Finish();
  return limits;
}

std::optional<PolicyFile> Build(const TomlValue& document, Findings* findings) {
  TomlTable table(*document.table(), "the file", findings);
  if (!CheckVersion(&table, findings)) return std::nullopt;
  const bool deny_own = table.Boolean("deny_own_addresses").value_or(false);
  PolicyFile file;
  file.audit_overflow = ReadAuditOverflow(&table);
  std::vector<RoleDraft> drafts = ReadRoles(&table);
  std::vector<absl::string_view> names;
  for (const RoleDraft& draft : drafts) names.push_back(draft.role.name);
  file.listen = ReadListen(table.Find("listen"), names, findings);
  if (const TomlEntry* resolver = table.FindTable("resolver")) {
    file.resolver = ReadResolver(*resolver->value.table(), findings);
  }
  if (const TomlEntry* limits = table.FindTable("limits")) {
    file.limits = ReadBrokerLimits(*limits->value.table(), findings);
  }
  table.Finish();
  const OwnPlaces own = FindOwnPlaces(deny_own, file.listen, findings);
  for (const RoleDraft& draft : drafts) CheckNoWayToListeners(draft, own, findings);
  // With a rule missing, what is said of the others might be wrong.
  if (findings->has_error()) return std::nullopt;
  Lint(drafts, file.listen, own, findings);
  for (RoleDraft& draft : drafts) file.roles.push_back(Finish(std::move(draft), own));
  return file;
}

// At most `most` bytes and one more.
int ReadUpTo(int file, size_t most, std::string* text) {
  constexpr size_t kChunk = 1 << 16;
  while (text->size() <= most) {
    const size_t before = text->size();
    text->resize(before + kChunk);
    const ssize_t count = read(file, &(*text)[before], kChunk);
    const int error = errno;
    text->resize(before + static_cast<size_t>(count > 0 ? count : 0));
    if (count == 0) return 0;
    if (count < 0 && error != EINTR) return error;
  }
  return 0;
}

// Whoever can write the file makes the policy.
void CheckWhoWrites(mode_t mode, LoadedPolicy* loaded) {
  const bool anybody = (mode & S_IWOTH) != 0;
  if (!anybody && (mode & S_IWGRP) == 0) return;
  loaded->findings.insert(
      loaded->findings.begin(),
      AboutFile(anybody ? Finding::Severity::kError : Finding::Severity::kWarning,
                anybody ? "anybody can write the file" : "others than its owner can write the file",
                "chmod go-w"));
  if (anybody) loaded->policy.reset();
}

}  // namespace

LoadedPolicy ParsePolicy(absl::string_view text) {
  if (text.size() > kMaxPolicyBytes) {
    return Unreadable("the policy is larger than 64 MiB", "write fewer rules");
  }
  const SourceText source(text);
  Findings findings(&source);
  LoadedPolicy loaded;
  if (const auto document = ReadToml(source, &findings)) {
    loaded.policy = Build(*document, &findings);
  }
  loaded.findings = findings.Take();
  return loaded;
}

LoadedPolicy LoadPolicyFile(const std::string& path) {
  // Opening a FIFO must not wait for its other end, nor a terminal become ours.
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat status;
  if (!file.valid() || fstat(file.get(), &status) != 0) return CannotBeRead(errno);
  if (!S_ISREG(status.st_mode)) {
    return Unreadable("is not a regular file", "name a policy file");
  }
  std::string text;
  const int error = ReadUpTo(file.get(), kMaxPolicyBytes, &text);
  if (error != 0) return CannotBeRead(error);
  LoadedPolicy loaded = ParsePolicy(text);
  CheckWhoWrites(status.st_mode, &loaded);
  return loaded;
}

}  // namespace sockgate
