// TomlValue: a TOML document as this folder sees it, with the place of every key and value. What
// reads TOML (toml11) stays behind ReadToml(), and so do its exceptions.
//
// Process: broker, when it loads a policy, and the tools. Owns its text.

#ifndef SOCKGATE_BROKER_POLICY_TOML_VALUE_H_
#define SOCKGATE_BROKER_POLICY_TOML_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "broker/policy/findings.h"
#include "broker/policy/source_text.h"

namespace sockgate {

struct TomlEntry;

struct TomlValue {
  struct Unused {};  // floats, dates and times: the policy language has none
  using Array = std::vector<TomlValue>;
  using Table = std::vector<TomlEntry>;  // no key twice

  const bool* boolean() const { return std::get_if<bool>(&value); }
  const int64_t* integer() const { return std::get_if<int64_t>(&value); }
  const std::string* string() const { return std::get_if<std::string>(&value); }
  const Array* array() const { return std::get_if<Array>(&value); }
  const Table* table() const { return std::get_if<Table>(&value); }

  // "a string", "an array", ...
  absl::string_view kind() const;

  std::variant<Unused, bool, int64_t, std::string, Array, Table> value;
  // Where it stands in the text; of a table in the form [this.one], its header.
  size_t at = 0;
};

struct TomlEntry {
  std::string key;
  size_t key_at = 0;
  TomlValue value;
};

// The document, a table; or nothing and an error.
std::optional<TomlValue> ReadToml(const SourceText& source, Findings* findings);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_TOML_VALUE_H_
