#include "broker/policy/loose_ipv4.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace sockgate {
namespace {

constexpr size_t kMostParts = 4;

// More than any part may say. Counting stops here, so that no number of digits wraps around.
constexpr uint64_t kTooMuch = uint64_t{1} << 32;

bool IsNumeric(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// 255 and more for what is no digit at all.
uint64_t DigitValue(char c) {
  if (absl::ascii_isdigit(c)) return static_cast<uint64_t>(c - '0');
  if (absl::ascii_isxdigit(c)) return static_cast<uint64_t>(absl::ascii_tolower(c) - 'a' + 10);
  return 255;
}

uint64_t TakeRadix(absl::string_view* part) {
  if (absl::ConsumePrefix(part, "0x") || absl::ConsumePrefix(part, "0X")) return 16;
  return part->size() > 1 && absl::ConsumePrefix(part, "0") ? 8 : 10;
}

// "0x" alone is 0. Nothing when a digit is not one of the radix; at most kTooMuch.
std::optional<uint64_t> ParsePart(absl::string_view part) {
  if (part.empty()) return std::nullopt;
  const uint64_t radix = TakeRadix(&part);
  uint64_t value = 0;
  for (const char c : part) {
    const uint64_t digit = DigitValue(c);
    if (digit >= radix) return std::nullopt;
    value = std::min(value * radix + digit, kTooMuch);
  }
  return value;
}

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("ends in a number, so it would be an IPv4 address, but ", what));
}

}  // namespace

bool EndsInNumber(absl::string_view text) {
  absl::ConsumeSuffix(&text, ".");
  const size_t dot = text.rfind('.');
  const absl::string_view last = dot == absl::string_view::npos ? text : text.substr(dot + 1);
  return IsNumeric(last) || ParsePart(last).has_value();
}

absl::StatusOr<IpAddress> ParseLooseIpv4(absl::string_view text) {
  absl::ConsumeSuffix(&text, ".");
  const size_t dots = static_cast<size_t>(std::count(text.begin(), text.end(), '.'));
  if (dots >= kMostParts) return Wrong("has more than four parts");
  uint32_t bits = 0;
  size_t part = 0;
  for (const absl::string_view digits : absl::StrSplit(text, '.')) {
    if (digits.empty()) return Wrong("has two dots in a row, or one in front");
    const auto value = ParsePart(digits);
    const size_t free_bytes = part == dots ? kMostParts - dots : 1;
    if (!value.has_value()) {
      return Wrong(absl::StrCat("its part ", part + 1,
                                " is not a number (after a leading 0, digits are octal)"));
    }
    if (*value >> (8 * free_bytes) != 0) {
      return Wrong(absl::StrCat("its part ", part + 1, " is too large"));
    }
    bits |= static_cast<uint32_t>(*value << (8 * (part == dots ? 0 : kMostParts - 1 - part)));
    ++part;
  }
  return IpAddress::V4({static_cast<uint8_t>(bits >> 24), static_cast<uint8_t>(bits >> 16),
                        static_cast<uint8_t>(bits >> 8), static_cast<uint8_t>(bits)});
}

}  // namespace sockgate
