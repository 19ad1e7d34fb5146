#include "broker/policy/host_name.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "broker/policy/localhost.h"
#include "broker/policy/loose_ipv4.h"

namespace sockgate {
namespace {

constexpr size_t kMaxLabelBytes = 63;

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

bool Has(absl::string_view text, absl::string_view part) {
  return text.find(part) != absl::string_view::npos;
}

bool MayStandInName(char c) {
  return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || !absl::ascii_isascii(c);
}

absl::Status WrongCharacter(char c) {
  switch (c) {
    case '\0':
      return Wrong("has a NUL byte");
    case '%':
      return Wrong("has a '%': write the character itself, not its percent escape");
    case ':':
      return Wrong("has a ':' and is no IPv6 address: write the host alone, without a port");
    case '/':
      return Wrong("has a '/': write the host alone, without a path or prefix length");
    case '@':
      return Wrong("has a '@': write the host alone, without a user");
    case '[':
    case ']':
      return Wrong("has a bracket: those stand around an IPv6 address only");
    case '*':
      return Wrong("has a '*', which no name has");
    default:
      break;
  }
  if (absl::ascii_isspace(c)) return Wrong("has white space");
  if (absl::ascii_iscntrl(c)) return Wrong("has a control character");
  return Wrong(
      absl::StrCat("has the character '", absl::string_view(&c, 1), "', which no name has"));
}

absl::Status CheckCharacters(absl::string_view text) {
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isascii)) {
    return Wrong("is not ASCII: write the name in A-labels (xn--...)");
  }
  return CheckAsciiOfName(text);
}

absl::Status CheckLabel(absl::string_view label) {
  if (label.empty()) return Wrong("has an empty label: two dots in a row, or one in front");
  if (label.size() > kMaxLabelBytes) {
    return Wrong(absl::StrCat("has a label of ", label.size(), " bytes; the DNS has room for ",
                              kMaxLabelBytes));
  }
  if (label.front() == '-' || label.back() == '-') {
    return Wrong("has a label that begins or ends with a hyphen");
  }
  return absl::OkStatus();
}

absl::StatusOr<Host> ParseBracketed(absl::string_view text) {
  const size_t end = text.find(']');
  if (end == absl::string_view::npos) return Wrong("has a '[' without its ']'");
  if (end + 1 != text.size()) {
    return Wrong("goes on after the ']': write the host alone, without a port");
  }
  const absl::string_view inside = text.substr(1, end - 1);
  const auto address = IpAddress::Parse(inside);
  if (!address.has_value() || !Has(inside, ":")) {
    return Wrong("has brackets around something that is not an IPv6 address");
  }
  return Host(*address);
}

}  // namespace

absl::Status CheckAsciiOfName(absl::string_view text) {
  if (Has(text, "://")) return Wrong("is a URL: write its host alone");
  const auto bad = std::find_if_not(text.begin(), text.end(), MayStandInName);
  return bad == text.end() ? absl::OkStatus() : WrongCharacter(*bad);
}

bool HostName::is_localhost() const { return IsLocalhost(text()); }

absl::StatusOr<HostName> HostName::Parse(absl::string_view text) {
  if (absl::Status status = CheckCharacters(text); !status.ok()) return status;
  if (text.empty() || text == ".") return Wrong("is empty");
  if (EndsInNumber(text)) return Wrong("ends in a number, which no name does");
  absl::ConsumeSuffix(&text, ".");
  if (text.size() > kMaxNameBytes) {
    return Wrong(absl::StrCat("has ", text.size(), " bytes; a name has at most ", kMaxNameBytes));
  }
  for (const absl::string_view label : absl::StrSplit(text, '.')) {
    if (absl::Status status = CheckLabel(label); !status.ok()) return status;
  }
  HostName name;
  std::transform(text.begin(), text.end(), name.bytes_.begin(), absl::ascii_tolower);
  name.size_ = static_cast<uint8_t>(text.size());
  return name;
}

absl::StatusOr<Host> ParseHost(absl::string_view text) {
  if (Has(text, ":") && Has(text, "%")) {
    return Wrong("has a zone id, the part from the '%' on: write the address without it");
  }
  if (!text.empty() && text.front() == '[') return ParseBracketed(text);
  if (Has(text, ":")) {
    if (const auto address = IpAddress::Parse(text)) return Host(*address);
  }
  if (absl::Status status = CheckCharacters(text); !status.ok()) return status;
  if (EndsInNumber(text)) return ParseLooseIpv4(text);
  return HostName::Parse(text);
}

std::string ToString(const Host& host) {
  if (const auto* address = std::get_if<IpAddress>(&host)) return address->ToString();
  return std::string(std::get<HostName>(host).text());
}

}  // namespace sockgate
