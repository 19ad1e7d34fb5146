#include "broker/policy/idna.h"

#include <idn2.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace sockgate {
namespace {

// No name that fits into the DNS is as long, in any script.
constexpr size_t kMaxUtf8Bytes = 4096;

struct FreeIdn2 {
  void operator()(uint8_t* text) const { idn2_free(text); }
};

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

bool IsAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isascii);
}

// ß, final sigma and the zero-width joiners: the transitional mapping makes another name of them.
bool HasDeviation(absl::string_view label) {
  for (const char* deviation : {"\u00df", "\u03c2", "\u200c", "\u200d"}) {
    if (absl::StrContains(label, deviation)) return true;
  }
  return false;
}

int Lookup(const std::string& label, int mapping, std::string* out) {
  uint8_t* result = nullptr;
  const auto* utf8 = reinterpret_cast<const uint8_t*>(label.c_str());
  const int error = idn2_lookup_u8(utf8, &result, IDN2_NFC_INPUT | mapping);
  const std::unique_ptr<uint8_t, FreeIdn2> owned(result);
  if (error == IDN2_OK) *out = reinterpret_cast<const char*>(result);
  return error;
}

absl::StatusOr<std::string> ConvertLabel(const std::string& label) {
  std::string converted;
  int error = Lookup(label, IDN2_NONTRANSITIONAL, &converted);
  // IDNA2008 has no emoji; browsers and libcurl look them up all the same. libidn2 checks that part
  // of IDNA2008 in its non-transitional mode only, and without a deviation the modes map alike.
  if (error == IDN2_DISALLOWED && !HasDeviation(label)) {
    error = Lookup(label, IDN2_TRANSITIONAL, &converted);
  }
  if (error != IDN2_OK) return Wrong(idn2_strerror(error));
  return converted;
}

// A-labels stay as they are, but must be what some international label is written as: a slip in
// one would make a rule that never matches.
absl::StatusOr<std::string> CheckALabel(const std::string& label) {
  const auto converted = ConvertLabel(label);
  if (!converted.ok()) return converted;
  if (*converted != absl::AsciiStrToLower(label)) return Wrong("not the A-label of any name");
  return label;
}

absl::StatusOr<std::string> LabelToAscii(const std::string& label) {
  if (!IsAscii(label)) return ConvertLabel(label);
  if (absl::StartsWithIgnoreCase(label, "xn--")) return CheckALabel(label);
  return label;
}

absl::Status CheckText(absl::string_view utf8) {
  if (absl::StrContains(utf8, '\0')) return Wrong("has a NUL byte");
  if (utf8.size() > kMaxUtf8Bytes) return Wrong("is too long for a name");
  return IsAscii(utf8) ? absl::OkStatus() : CheckAsciiOfName(utf8);
}

}  // namespace

absl::StatusOr<std::string> ToALabels(absl::string_view utf8) {
  if (absl::Status status = CheckText(utf8); !status.ok()) return status;
  // What UTS 46 takes for a dot.
  const std::string dotted =
      absl::StrReplaceAll(utf8, {{"\u3002", "."}, {"\uff0e", "."}, {"\uff61", "."}});
  std::string ascii;
  int number = 0;
  for (const absl::string_view label : absl::StrSplit(dotted, '.')) {
    const auto converted = LabelToAscii(std::string(label));
    ++number;
    if (!converted.ok()) {
      return Wrong(absl::StrCat("has a label (number ", number,
                                ") that IDNA refuses: ", converted.status().message()));
    }
    absl::StrAppend(&ascii, number == 1 ? "" : ".", *converted);
  }
  // A full-width star, bracket or percent sign is none.
  if (!IsAscii(utf8)) {
    if (absl::Status status = CheckAsciiOfName(ascii); !status.ok()) return status;
  }
  return ascii;
}

absl::StatusOr<Host> ParseInternationalHost(absl::string_view utf8) {
  const auto ascii = ToALabels(utf8);
  if (!ascii.ok()) return ascii.status();
  return ParseHost(*ascii);
}

absl::StatusOr<HostPattern> ParseInternationalPattern(absl::string_view utf8) {
  const absl::string_view star = absl::StartsWith(utf8, "*.") ? "*." : "";
  const auto ascii = ToALabels(absl::StripPrefix(utf8, star));
  if (!ascii.ok()) return ascii.status();
  return HostPattern::Parse(absl::StrCat(star, *ascii));
}

}  // namespace sockgate
