#include "broker/policy/toml_value.h"

#include <exception>
#include <sstream>
#include <toml.hpp>
#include <typeinfo>
#include <utility>

#include "broker/policy/shared_copies.h"
#include "broker/policy/toml_complaint.h"
#include "broker/policy/toml_tokens.h"

namespace sockgate {
namespace {

using Parsed = toml::basic_value<toml::discard_comments, SharedTable, SharedArray>;

// Not toml11's own location(): that counts the lines from the start of the file for each value.
size_t OffsetOf(const Parsed& parsed) {
  const toml::detail::region_base* region = toml::detail::get_region(parsed);
  if (typeid(*region) != typeid(toml::detail::region)) return 0;
  const auto* place = static_cast<const toml::detail::region*>(region);
  return static_cast<size_t>(place->first() - place->begin());
}

// The depth is bounded: CheckTomlTokens().
TomlValue Convert(const Parsed& parsed, absl::string_view text) {
  TomlValue value;
  value.at = OffsetOf(parsed);
  if (parsed.is_boolean()) {
    value.value = parsed.as_boolean();
  } else if (parsed.is_integer()) {
    value.value = int64_t{parsed.as_integer()};
  } else if (parsed.is_string()) {
    value.value = parsed.as_string().str;
  } else if (parsed.is_array()) {
    TomlValue::Array& array = value.value.emplace<TomlValue::Array>();
    array.reserve(parsed.as_array().size());
    for (const Parsed& element : parsed.as_array()) array.push_back(Convert(element, text));
  } else if (parsed.is_table()) {
    TomlValue::Table& table = value.value.emplace<TomlValue::Table>();
    table.reserve(parsed.as_table().size());
    for (const auto& [key, element] : parsed.as_table()) {
      table.push_back({key, 0, Convert(element, text)});
      table.back().key_at = StartOfKey(text, table.back().value.at);
    }
  }
  return value;
}

Parsed Parse(const SourceText& source) {
  std::istringstream stream{std::string(source.text())};
  return toml::parse<toml::discard_comments, SharedTable, SharedArray>(stream, "policy");
}

}  // namespace

absl::string_view TomlValue::kind() const {
  if (boolean() != nullptr) return "a boolean";
  if (integer() != nullptr) return "an integer";
  if (string() != nullptr) return "a string";
  if (array() != nullptr) return "an array";
  return table() != nullptr ? "a table" : "a number with a point, or a date";
}

std::optional<TomlValue> ReadToml(const SourceText& source, Findings* findings) {
  if (!CheckTomlTokens(source, findings)) return std::nullopt;
  try {
    return Convert(Parse(source), source.text());
  } catch (const std::exception& error) {
    // What toml11 throws, the standard library beneath it, and SharedArray.
    const TomlComplaint complaint = ReadTomlComplaint(error.what(), source);
    findings->Error(complaint.offset, complaint.message, complaint.advice);
  }
  return std::nullopt;
}

}  // namespace sockgate
