#include "tool/json_field.h"

#include <limits>

namespace sockgate {

using nlohmann::json;

const json& FieldOf(const json& object, const char* key) {
  static const json kNull;
  const auto field = object.find(key);
  return field == object.end() ? kNull : *field;
}

std::optional<uint64_t> CountIn(const json& value) {
  constexpr double kTooMany = 18446744073709551616.0;  // 2^64
  if (value.is_number_unsigned()) return value.get<uint64_t>();
  if (value.is_number_integer()) {
    const auto number = value.get<int64_t>();
    if (number < 0) return std::nullopt;
    return static_cast<uint64_t>(number);
  }
  if (!value.is_number_float()) return std::nullopt;
  const auto number = value.get<double>();
  if (!(number >= 0)) return std::nullopt;
  if (number >= kTooMany) return std::numeric_limits<uint64_t>::max();
  return static_cast<uint64_t>(number);
}

std::optional<uint64_t> CountOf(const json& object, const char* key) {
  return CountIn(FieldOf(object, key));
}

std::optional<bool> FlagOf(const json& object, const char* key) {
  const json& field = FieldOf(object, key);
  if (!field.is_boolean()) return std::nullopt;
  return field.get<bool>();
}

std::string TextOf(const json& object, const char* key) {
  const json& field = FieldOf(object, key);
  return field.is_string() ? field.get<std::string>() : std::string();
}

}  // namespace sockgate
