#include "tool/toml_string.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

// A length of UTF-8 character: what its first byte looks like, and the least character that needs
// so many bytes.
struct Form {
  uint8_t mask;
  uint8_t lead;
  size_t bytes;
  uint32_t least;
};

constexpr Form kForms[] = {
    {0x80, 0x00, 1, 0},
    {0xe0, 0xc0, 2, 0x80},
    {0xf0, 0xe0, 3, 0x800},
    {0xf8, 0xf0, 4, 0x10000},
};

bool IsCharacter(uint32_t value) {
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  return value <= 0x10ffff && !surrogate;
}

// Takes the first character off `bytes`, which is not empty.
std::optional<uint32_t> TakeCharacter(absl::string_view* bytes) {
  const auto lead = static_cast<uint8_t>(bytes->front());
  for (const Form& form : kForms) {
    if ((lead & form.mask) != form.lead) continue;
    if (bytes->size() < form.bytes) return std::nullopt;
    uint32_t value = lead & static_cast<uint8_t>(~form.mask);
    for (size_t i = 1; i < form.bytes; ++i) {
      const auto next = static_cast<uint8_t>((*bytes)[i]);
      if ((next & 0xc0) != 0x80) return std::nullopt;
      value = value << 6 | (next & 0x3f);
    }
    bytes->remove_prefix(form.bytes);
    if (value < form.least || !IsCharacter(value)) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

void AppendCharacter(uint32_t value, std::string* out) {
  if (value == '"' || value == '\\') {
    out->push_back('\\');
    out->push_back(static_cast<char>(value));
  } else if (value >= 0x20 && value < 0x7f) {
    out->push_back(static_cast<char>(value));
  } else if (value <= 0xffff) {
    absl::StrAppend(out, "\\u", absl::Hex(value, absl::kZeroPad4));
  } else {
    absl::StrAppend(out, "\\U", absl::Hex(value, absl::kZeroPad8));
  }
}

}  // namespace

std::optional<std::string> TomlString(absl::string_view bytes) {
  std::string text = "\"";
  while (!bytes.empty()) {
    const auto character = TakeCharacter(&bytes);
    if (!character.has_value()) return std::nullopt;
    AppendCharacter(*character, &text);
  }
  text.push_back('"');
  return text;
}

}  // namespace sockgate
