#include "tool/fetch/terminal_text.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

enum class Fate { kWhole, kUnfinished, kNone };

// The character at the beginning of a text that is not empty.
struct Character {
  Fate fate = Fate::kNone;
  size_t size = 1;
  uint32_t code = 0;
};

size_t SizeByFirst(uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

// Of the second byte: no longer form of a shorter character, no surrogate, nothing beyond the last.
bool IsSecond(uint8_t first, uint8_t second) {
  switch (first) {
    case 0xE0:
      return second >= 0xA0 && second <= 0xBF;
    case 0xED:
      return second >= 0x80 && second <= 0x9F;
    case 0xF0:
      return second >= 0x90 && second <= 0xBF;
    case 0xF4:
      return second >= 0x80 && second <= 0x8F;
    default:
      return second >= 0x80 && second <= 0xBF;
  }
}

Character First(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const size_t size = SizeByFirst(byte(0));
  if (size == 0) return {};
  uint32_t code = size == 1 ? byte(0) : byte(0) & (0x7FU >> size);
  for (size_t i = 1; i < size; ++i) {
    if (i == text.size()) return {Fate::kUnfinished, i, 0};
    if (i == 1 ? !IsSecond(byte(0), byte(1)) : (byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3FU);
  }
  return {Fate::kWhole, size, code};
}

bool IsDirectional(uint32_t code) {
  return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

bool MayShow(uint32_t code, bool one_line) {
  if (code == '\n' || code == '\t') return !one_line;
  return code >= 0x20 && !(code >= 0x7F && code <= 0x9F) && !IsDirectional(code) &&
         code != 0x2028 && code != 0x2029;
}

void SpellOut(absl::string_view bytes, std::string* shown) {
  for (const char c : bytes) {
    absl::StrAppend(shown, "\\x", absl::Hex(static_cast<uint8_t>(c), absl::kZeroPad2));
  }
}

// Leaves what is unfinished in `text`.
std::string Show(absl::string_view* text, bool one_line) {
  std::string shown;
  while (!text->empty()) {
    const Character character = First(*text);
    if (character.fate == Fate::kUnfinished) break;
    const absl::string_view bytes = text->substr(0, character.size);
    if (character.fate == Fate::kWhole && MayShow(character.code, one_line)) {
      absl::StrAppend(&shown, bytes);
    } else {
      SpellOut(bytes, &shown);
    }
    text->remove_prefix(character.size);
  }
  return shown;
}

}  // namespace

std::string TerminalText::Add(absl::string_view piece) {
  const std::string text = absl::StrCat(open_, piece);
  absl::string_view left = text;
  std::string shown = Show(&left, false);
  open_ = std::string(left);
  return shown;
}

std::string TerminalText::End() {
  std::string shown;
  SpellOut(std::exchange(open_, ""), &shown);
  return shown;
}

std::string TerminalLine(absl::string_view text) {
  std::string shown = Show(&text, true);
  SpellOut(text, &shown);
  return shown;
}

}  // namespace sockgate
