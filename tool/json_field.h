// Fields of a JSON object that may be missing, or not be what they should.
//
// Process: the operator's command. Pure; never throws.
// Hostile input: the object, or whatever stands in its place. What is missing or of another kind is
// nothing.

#ifndef SOCKGATE_TOOL_JSON_FIELD_H_
#define SOCKGATE_TOOL_JSON_FIELD_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace sockgate {

// Null when there is none.
const nlohmann::json& FieldOf(const nlohmann::json& object, const char* key);

// Beyond 64 bits: the highest of them.
std::optional<uint64_t> CountIn(const nlohmann::json& value);
std::optional<uint64_t> CountOf(const nlohmann::json& object, const char* key);
std::optional<bool> FlagOf(const nlohmann::json& object, const char* key);
// Empty when there is none.
std::string TextOf(const nlohmann::json& object, const char* key);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_JSON_FIELD_H_
