#include "broker/policy/toml_complaint.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "broker/policy/findings.h"

namespace sockgate {
namespace {

struct Translation {
  absl::string_view theirs;
  absl::string_view message;
  absl::string_view advice;
};

constexpr Translation kTranslations[] = {
    {"missing key-value separator", "there is no '=' after the key", "write key = value"},
    {"invalid format for key", "this is no key", "write letters, digits, '_' and '-', or quotes"},
    {"an invalid key appeared", "this is no key", "write letters, digits, '_' and '-', or quotes"},
    {"empty key is not allowed", "there is no key before '='", "write key = value"},
    {"missing value after", "there is no value after '='", "write key = value"},
    {"missing array separator", "a comma is missing between two values",
     "write ',' after each value"},
    {"value having invalid format", "this is no value",
     "write true, false, a number, or text in quotes"},
    {"did not closed", "a bracket is not closed", "write the closing one"},
    {"missing table separator", "a comma is missing between two keys",
     "write ',' after each value, and '}' at the end"},
    {"trailing comma", "an inline table ends with a comma", "remove the comma"},
    {"invalid line format", "there is more in the line than one key and its value",
     "write one in each line"},
    {"newline required after", "there is more in the line than the table's name",
     "write keys in the lines after it"},
    {"unknown line appeared", "this is neither a table's name nor a key", "write key = value"},
    {"not a valid table key", "this is no table's name", "write [roles.NAME] or [[listen]]"},
    {"unknown value appeared", "this is no value",
     "write true, false, a number, or text in quotes"},
    {"leading zero", "a number begins with 0", "write it in quotes, or without the zero"},
    {"bad integer", "this is no number", "write digits only"},
    {"bad float", "this is no number", "write text in quotes"},
    {"bad time", "this is no value", "write true, false, a number, or text in quotes"},
    {"bad datetime", "this is no value", "write true, false, a number, or text in quotes"},
    {"next token is not", "this is no value", "write true, false, a number, or text in quotes"},
    {"empty array", "a table's name leads into an empty array", "write the table into the array"},
    {"bad offset", "this is no value", "write true, false, a number, or text in quotes"},
    {"inline tables are immutable", "this adds to a table that is closed",
     "write the key between the table's braces"},
};

// Where toml11's picture points: " 3 | the line" above "   |     ^--- a remark".
struct Picture {
  uint32_t line = 0;
  absl::string_view shown;
  size_t column = 0;  // from 0, in bytes
  absl::string_view remark;
};

// Of several the last: those before show what the fault has to do with.
std::optional<Picture> FindPicture(const std::vector<absl::string_view>& lines) {
  std::optional<Picture> last;
  for (size_t i = 0; i + 1 < lines.size(); ++i) {
    const size_t bar = lines[i].find(" | ");
    Picture picture;
    if (bar == absl::string_view::npos) continue;
    const absl::string_view number = absl::StripAsciiWhitespace(lines[i].substr(0, bar));
    if (!absl::SimpleAtoi(number, &picture.line)) continue;
    picture.shown = absl::StripSuffix(lines[i].substr(bar + 3), "\r");
    const size_t mark = lines[i + 1].find_first_of("^~", bar);
    if (mark != absl::string_view::npos) {
      picture.column = mark - (bar + 3);
      picture.remark = lines[i + 1].substr(mark);
    }
    last = picture;
  }
  return last;
}

// A fault inside a string is shown as if the string were a file of its own: then the first line
// that has it must do.
size_t Locate(const Picture& picture, const SourceText& source) {
  if (source.Line(picture.line) == picture.shown) {
    return source.StartOf(picture.line) + picture.column;
  }
  const size_t found = source.text().find(picture.shown);
  return found == absl::string_view::npos ? 0 : found;
}

// Of "toml::insert_value: table (\"a.b\") already exists." the name.
absl::string_view NameIn(absl::string_view title) {
  const size_t open = title.find("(\"");
  const size_t close = title.rfind("\")");
  if (open == absl::string_view::npos || close == absl::string_view::npos) return {};
  return close < open + 2 ? absl::string_view() : title.substr(open + 2, close - open - 2);
}

const Translation* FindTranslation(absl::string_view text) {
  for (const Translation& translation : kTranslations) {
    if (absl::StrContains(text, translation.theirs)) return &translation;
  }
  return nullptr;
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

bool IsBareKey(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
}

}  // namespace

TomlComplaint ReadTomlComplaint(absl::string_view what, const SourceText& source) {
  const std::vector<absl::string_view> lines = absl::StrSplit(what, '\n');
  const absl::string_view title = lines[0];
  const Picture picture = FindPicture(lines).value_or(Picture());
  const size_t offset = picture.line == 0 ? 0 : Locate(picture, source);
  const Translation* translation = FindTranslation(title);
  if (translation == nullptr) translation = FindTranslation(picture.remark);
  if (translation != nullptr) {
    return {offset, std::string(translation->message), std::string(translation->advice)};
  }
  if (absl::StrContains(title, "toml::insert_value")) {
    return {StartOfKey(source.text(), offset),
            absl::StrCat(Quoted(NameIn(title)), " is written twice"), "write it once"};
  }
  return {offset, "this is not TOML", "write it as https://toml.io says"};
}

size_t StartOfKey(absl::string_view text, size_t offset) {
  size_t at = offset;
  while (at > 0 && IsBlank(text[at - 1])) --at;
  if (at == 0 || text[at - 1] != '=') return offset;
  --at;
  while (at > 0 && IsBlank(text[at - 1])) --at;
  if (at == 0) return offset;
  const char quote = text[at - 1];
  if (quote == '"' || quote == '\'') {
    const size_t open = at < 2 ? absl::string_view::npos : text.rfind(quote, at - 2);
    return open == absl::string_view::npos ? offset : open;
  }
  while (at > 0 && IsBareKey(text[at - 1])) --at;
  return at;
}

}  // namespace sockgate
