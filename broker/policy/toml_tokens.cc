#include "broker/policy/toml_tokens.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "broker/policy/hidden_characters.h"

namespace sockgate {
namespace {

// The length of the UTF-8 character that `text` begins with; 0: it begins with none. RFC 3629,
// section 4: the shortest form only, no surrogates, nothing beyond U+10FFFF.
size_t CharacterBytes(absl::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
  };
  const auto in = [](uint8_t value, uint8_t first, uint8_t last) {
    return first <= value && value <= last;
  };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (in(lead, 0xC2, 0xDF)) return in(byte(1), 0x80, 0xBF) ? 2 : 0;
  if (in(lead, 0xE0, 0xEF)) {
    const bool second = in(byte(1), lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF);
    return second && in(byte(2), 0x80, 0xBF) ? 3 : 0;
  }
  if (!in(lead, 0xF0, 0xF4)) return 0;
  const bool second = in(byte(1), lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF);
  return second && in(byte(2), 0x80, 0xBF) && in(byte(3), 0x80, 0xBF) ? 4 : 0;
}

// The length of the escape sequence that `text` begins with; 0: it begins with none.
size_t EscapeBytes(absl::string_view text) {
  constexpr absl::string_view kShort = "btnfr\"\\";
  if (text.size() < 2) return 0;
  if (absl::StrContains(kShort, text[1])) return 2;
  const size_t digits = text[1] == 'u' ? 4 : text[1] == 'U' ? 8 : 0;
  const absl::string_view hex = text.substr(2, digits);
  uint32_t character;
  if (digits == 0 || hex.size() != digits) return 0;
  for (const char c : hex) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return 0;
  }
  const bool valid = absl::SimpleHexAtoi(hex, &character) && character <= 0x10FFFF &&
                     (character < 0xD800 || character > 0xDFFF);
  return valid ? 2 + digits : 0;
}

bool IsWordByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
}

class Scanner {
 public:
  Scanner(absl::string_view text, Findings* findings) : text_(text), findings_(findings) {}

  bool Run() {
    while (at_ < text_.size()) {
      if (!Step(text_[at_])) return false;
    }
    if (!EndLine()) return false;
    return open_.empty() || NeverClosed();
  }

 private:
  bool Fault(size_t at, std::string message, std::string advice) {
    findings_->Error(at, std::move(message), std::move(advice));
    return false;
  }

  // Goes over one character, or one string or comment.
  bool Step(char c) {
    switch (c) {
      case '\n':
        if (!open_.empty() && text_[open_.back()] == '{') {
          return Fault(open_.back(), "an inline table goes on in the next line",
                       "write it in one line");
        }
        if (!EndLine()) return false;
        line_start_ = at_ + 1;
        dots_ = 0;
        return Advance();
      case '#':
        return SkipComment();
      case '"':
      case '\'':
        return SkipString(c);
      case '[':
      case '{':
        dots_ = 0;
        open_.push_back(at_);
        if (open_.size() > kMaxTomlNesting) {
          return Fault(at_, "arrays and tables are nested too deep", "write no more than 8 levels");
        }
        return Advance();
      case ']':
      case '}':
        return Close(c);
      case '=':
      case ',':
        dots_ = 0;
        return Advance();
      case '.':
        if (++dots_ < kMaxTomlKeyParts) return Advance();
        return Fault(at_, "too many dots", "write at most 8 parts, and text in quotes");
      default:
        return IsWordByte(c) ? SkipWord() : Advance();
    }
  }

  // One that closes nothing is toml11's to judge.
  bool Close(char c) {
    if (open_.empty()) return Advance();
    if (text_[open_.back()] != (c == ']' ? '[' : '{')) return NeverClosed();
    open_.pop_back();
    return Advance();
  }

  bool NeverClosed() {
    const std::string bracket(1, text_[open_.back()]);
    return Fault(open_.back(), absl::StrCat("this '", bracket, "' is never closed"),
                 absl::StrCat("write '", bracket == "[" ? "]" : "}", "' after its last value"));
  }

  bool EndLine() {
    if (at_ - line_start_ <= kMaxTomlLineBytes) return true;
    return Fault(line_start_, "the line is longer than 4096 bytes",
                 "write a new line after each rule or element");
  }

  // Over one character, which must be one.
  bool Advance() {
    const size_t bytes = CharacterBytes(text_.substr(at_));
    if (bytes == 0) return Fault(at_, "these bytes are not UTF-8", "save the file as UTF-8");
    if (BeginsHidden(text_.substr(at_))) {
      return Fault(at_, "there is a character that makes text look like another one",
                   "remove it, or write its escape in a string");
    }
    const char c = text_[at_];
    const bool line_end = c == '\r' && text_.substr(at_ + 1, 1) == "\n";
    if (c != '\n' && c != '\t' && !line_end && absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      return Fault(at_, "there is a control character", "remove it");
    }
    at_ += bytes;
    return true;
  }

  bool SkipComment() {
    while (at_ < text_.size() && text_[at_] != '\n') {
      if (!Advance()) return false;
    }
    return true;
  }

  bool SkipWord() {
    const size_t start = at_;
    while (at_ < text_.size() && IsWordByte(text_[at_])) ++at_;
    if (at_ - start <= kMaxTomlWordBytes) return true;
    return Fault(start, "a word is longer than 64 bytes", "write text in quotes");
  }

  bool SkipString(char quote) {
    const size_t start = at_;
    if (absl::StartsWith(text_.substr(at_), std::string(3, quote))) {
      return Fault(at_, "a string over several lines has no use here", "write it in one line");
    }
    ++at_;
    while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != quote) {
      const bool escape = quote == '"' && text_[at_] == '\\';
      if (escape ? !SkipEscape() : !Advance()) return false;
    }
    if (at_ < text_.size() && text_[at_] == quote) return Advance();
    return Fault(start, "the string is not closed",
                 absl::StrCat("write ", std::string(1, quote), " at its end"));
  }

  bool SkipEscape() {
    const size_t bytes = EscapeBytes(text_.substr(at_));
    if (bytes == 0) {
      return Fault(at_, "this backslash begins no escape sequence", R"(write \\ for a backslash)");
    }
    at_ += bytes;
    return true;
  }

  const absl::string_view text_;
  Findings* const findings_;
  size_t at_ = 0;
  size_t line_start_ = 0;
  size_t dots_ = 0;           // of the key that is being read
  std::vector<size_t> open_;  // brackets that wait for their partner
};

}  // namespace

bool CheckTomlTokens(const SourceText& source, Findings* findings) {
  return Scanner(source.text(), findings).Run();
}

}  // namespace sockgate
