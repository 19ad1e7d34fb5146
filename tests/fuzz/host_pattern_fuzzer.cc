// Fuzzes what reads host names: whatever parses must print as text that parses to the same, what an
// address might be must never be a name, and an error must be fit for a log.
//
//   bazel run --config=fuzz //tests/fuzz:host_pattern_fuzzer -- -max_total_time=30

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "broker/policy/host_name.h"
#include "broker/policy/host_pattern.h"
#include "broker/policy/idna.h"
#include "proto/check.h"
#include "proto/limits.h"

namespace sockgate {
namespace {

constexpr size_t kLongestMessage = 200;

void CheckRefusal(const absl::Status& status) {
  const absl::string_view message = status.message();
  SOCKGATE_CHECK(!message.empty() && message.size() < kLongestMessage);
  SOCKGATE_CHECK(std::all_of(message.begin(), message.end(), absl::ascii_isprint));
}

void CheckName(const HostName& name) {
  const absl::string_view text = name.text();
  SOCKGATE_CHECK(!text.empty() && text.size() <= kMaxNameBytes && text.back() != '.');
  SOCKGATE_CHECK(std::none_of(text.begin(), text.end(), absl::ascii_isupper));
  // How an address would end: in decimal, octal or hexadecimal.
  const absl::string_view last = text.substr(text.rfind('.') + 1);
  SOCKGATE_CHECK(!std::all_of(last.begin(), last.end(), absl::ascii_isdigit));
  SOCKGATE_CHECK(!absl::StartsWith(last, "0x") ||
                 !std::all_of(last.begin() + 2, last.end(), absl::ascii_isxdigit));
  const auto again = HostName::Parse(text);
  SOCKGATE_CHECK(again.ok() && *again == name);
}

void CheckHost(const absl::StatusOr<Host>& host) {
  if (!host.ok()) return CheckRefusal(host.status());
  if (const auto* name = std::get_if<HostName>(&*host)) CheckName(*name);
  const auto again = ParseHost(ToString(*host));
  SOCKGATE_CHECK(again.ok() && *again == *host);
}

// Whether `pattern` matches the name in `text`; a text too long for a name is no match.
bool Matches(const HostPattern& pattern, const std::string& text) {
  const auto name = HostName::Parse(text);
  return name.ok() && pattern.Matches(*name);
}

void CheckPattern(const absl::StatusOr<HostPattern>& pattern) {
  if (!pattern.ok()) return CheckRefusal(pattern.status());
  CheckName(pattern->name());
  const auto again = HostPattern::Parse(pattern->ToString());
  SOCKGATE_CHECK(again.ok() && *again == *pattern);
  SOCKGATE_CHECK(pattern->Covers(*again));

  const std::string name(pattern->name().text());
  const bool below = pattern->covers_subdomains();
  SOCKGATE_CHECK(Matches(*pattern, name) == !below);
  SOCKGATE_CHECK(Matches(*pattern, absl::StrCat("a.", name)) == below);
  SOCKGATE_CHECK(!Matches(*pattern, absl::StrCat("a", name)));
  SOCKGATE_CHECK(!Matches(*pattern, absl::StrCat(name, "a")));
}

// International text that is ASCII means what it means without IDNA, or nothing.
void CheckSameMeaning(absl::string_view text) {
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isascii)) return;
  const auto host = ParseInternationalHost(text);
  if (host.ok()) SOCKGATE_CHECK(*host == *ParseHost(text));
  const auto pattern = ParseInternationalPattern(text);
  if (pattern.ok()) SOCKGATE_CHECK(*pattern == *HostPattern::Parse(text));
}

void CheckALabels(absl::string_view text) {
  const auto ascii = ToALabels(text);
  if (!ascii.ok()) return CheckRefusal(ascii.status());
  SOCKGATE_CHECK(std::all_of(ascii->begin(), ascii->end(), absl::ascii_isascii));
  // A-labels are longer than what they stand for: those of a long text may be too long to go again.
  if (text.size() > kMaxNameBytes) return;
  const auto again = ToALabels(*ascii);
  SOCKGATE_CHECK(again.ok() && *again == *ascii);
}

}  // namespace
}  // namespace sockgate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto name = sockgate::HostName::Parse(text);
  if (name.ok()) sockgate::CheckName(*name);
  if (!name.ok()) sockgate::CheckRefusal(name.status());
  sockgate::CheckHost(sockgate::ParseHost(text));
  sockgate::CheckHost(sockgate::ParseInternationalHost(text));
  sockgate::CheckPattern(sockgate::HostPattern::Parse(text));
  sockgate::CheckPattern(sockgate::ParseInternationalPattern(text));
  sockgate::CheckSameMeaning(text);
  sockgate::CheckALabels(text);
  return 0;
}
