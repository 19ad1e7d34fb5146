// TomlTable: strict access to one TOML table. Whatever was not asked for is an unknown key; the
// keys that were asked for are those that an unknown one may have meant.
//
// Usage:
//   1. TomlTable table(entries, "[[listen]]", findings);
//   2. const auto path = table.String("path");
//   3. table.Finish();
//
// Process: broker, when it loads a policy, and the tools. Lends everything.

#ifndef SOCKGATE_BROKER_POLICY_TOML_TABLE_H_
#define SOCKGATE_BROKER_POLICY_TOML_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "broker/policy/findings.h"
#include "broker/policy/toml_value.h"

namespace sockgate {

class TomlTable {
 public:
  // `what` names the table in messages.
  TomlTable(const TomlValue::Table& entries, absl::string_view what, Findings* findings)
      : entries_(entries), what_(what), findings_(findings), asked_for_(entries.size()) {}
  TomlTable(const TomlTable&) = delete;
  TomlTable& operator=(const TomlTable&) = delete;

  // Null, or nothing, when the key is missing; and when its value has another type or is out of
  // range, which is then an error.
  const TomlEntry* Find(absl::string_view key);
  const TomlEntry* FindTable(absl::string_view key);
  const TomlEntry* FindArray(absl::string_view key);
  const TomlEntry* FindString(absl::string_view key);
  std::optional<bool> Boolean(absl::string_view key);
  std::optional<uint32_t> Integer(absl::string_view key, uint32_t least, uint32_t most);

  // An error for each key that nobody asked for.
  void Finish();

  Findings* findings() const { return findings_; }

 private:
  const TomlEntry* FindKind(absl::string_view key, bool (*is_it)(const TomlValue&),
                            absl::string_view kind, absl::string_view example);

  const TomlValue::Table& entries_;
  const absl::string_view what_;
  Findings* const findings_;
  std::vector<absl::string_view> known_;
  std::vector<bool> asked_for_;
};

// "'ports' must be an array, not a string".
void WrongType(absl::string_view name, absl::string_view expected, const TomlValue& value,
               absl::string_view advice, Findings* findings);

// A string, or each string of an array; anything else is an error.
std::vector<const TomlValue*> StringOrStrings(const TomlEntry& entry, absl::string_view example,
                                              Findings* findings);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_TOML_TABLE_H_
