#include "broker/policy/toml_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "broker/policy/nearest_word.h"

namespace sockgate {

const TomlEntry* TomlTable::Find(absl::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].key != key) continue;
    asked_for_[i] = true;
    return &entries_[i];
  }
  return nullptr;
}

const TomlEntry* TomlTable::FindKind(absl::string_view key, bool (*is_it)(const TomlValue&),
                                     absl::string_view kind, absl::string_view example) {
  const TomlEntry* entry = Find(key);
  if (entry == nullptr || is_it(entry->value)) return entry;
  WrongType(key, kind, entry->value, absl::StrCat("write ", key, " = ", example), findings_);
  return nullptr;
}

const TomlEntry* TomlTable::FindTable(absl::string_view key) {
  return FindKind(
      key, [](const TomlValue& value) { return value.table() != nullptr; }, "a table", "{ ... }");
}

const TomlEntry* TomlTable::FindArray(absl::string_view key) {
  return FindKind(
      key, [](const TomlValue& value) { return value.array() != nullptr; }, "an array", "[ ... ]");
}

const TomlEntry* TomlTable::FindString(absl::string_view key) {
  return FindKind(
      key, [](const TomlValue& value) { return value.string() != nullptr; }, "a string", "\"...\"");
}

std::optional<bool> TomlTable::Boolean(absl::string_view key) {
  const TomlEntry* entry = FindKind(
      key, [](const TomlValue& value) { return value.boolean() != nullptr; }, "a boolean",
      "true or false");
  if (entry == nullptr) return std::nullopt;
  return *entry->value.boolean();
}

std::optional<uint32_t> TomlTable::Integer(absl::string_view key, uint32_t least, uint32_t most) {
  const TomlEntry* entry = FindKind(
      key, [](const TomlValue& value) { return value.integer() != nullptr; }, "an integer",
      absl::StrCat("a whole number, ", least, " to ", most));
  if (entry == nullptr) return std::nullopt;
  const int64_t number = *entry->value.integer();
  if (least <= number && number <= most) return static_cast<uint32_t>(number);
  findings_->Error(entry->value.at, absl::StrCat("'", key, "' cannot be ", number),
                   absl::StrCat("write ", least, " to ", most));
  return std::nullopt;
}

void TomlTable::Finish() {
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (asked_for_[i]) continue;
    const TomlEntry& entry = entries_[i];
    const absl::string_view nearest = NearestWord(entry.key, known_);
    findings_->Error(entry.key_at, absl::StrCat("unknown key ", Quoted(entry.key), " in ", what_),
                     nearest.empty() ? absl::StrCat("write one of ", absl::StrJoin(known_, ", "))
                                     : absl::StrCat("write '", nearest, "'"));
  }
}

void WrongType(absl::string_view name, absl::string_view expected, const TomlValue& value,
               absl::string_view advice, Findings* findings) {
  findings->Error(value.at, absl::StrCat("'", name, "' must be ", expected, ", not ", value.kind()),
                  std::string(advice));
}

std::vector<const TomlValue*> StringOrStrings(const TomlEntry& entry, absl::string_view example,
                                              Findings* findings) {
  std::vector<const TomlValue*> strings;
  const auto advice = [&] { return absl::StrCat("write ", entry.key, " = ", example); };
  if (entry.value.string() != nullptr) return {&entry.value};
  if (entry.value.array() == nullptr) {
    WrongType(entry.key, "a string or an array of strings", entry.value, advice(), findings);
    return {};
  }
  for (const TomlValue& element : *entry.value.array()) {
    if (element.string() != nullptr) {
      strings.push_back(&element);
    } else {
      WrongType(entry.key, "an array of strings", element, advice(), findings);
    }
  }
  if (entry.value.array()->empty()) {
    findings->Error(entry.value.at, absl::StrCat("'", entry.key, "' is empty"), advice());
  }
  return strings;
}

}  // namespace sockgate
