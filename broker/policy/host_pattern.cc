#include "broker/policy/host_pattern.h"

#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace sockgate {
namespace {

constexpr absl::string_view kStar = "*.";

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

// What ParseHost() would not explain as well: a pattern that is none, rather than a name that is
// none.
absl::Status CheckShape(absl::string_view text, absl::string_view name) {
  if (text.empty() || text == ".") {
    return Wrong("is empty: write a name (example.com), or all names below one (*.example.com)");
  }
  if (text == "*" || name.empty() || name == ".") {
    return Wrong(
        "would cover every name: write public = true, or *.example.com for the names below one");
  }
  if (absl::StrContains(name, '*') && !absl::StrContains(name, "://")) {
    return Wrong("has a star elsewhere than alone in front: write *.example.com");
  }
  if (absl::StartsWith(text, ".")) {
    return Wrong("begins with a dot: write *.example.com for all names below");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<HostPattern> HostPattern::Parse(absl::string_view text) {
  absl::string_view rest = text;
  const bool subdomains = absl::ConsumePrefix(&rest, kStar);
  if (absl::Status status = CheckShape(text, rest); !status.ok()) return status;
  const auto host = ParseHost(rest);
  if (!host.ok()) return host.status();
  if (std::holds_alternative<IpAddress>(*host)) {
    return Wrong(absl::StrCat("is an address: write cidr = \"", sockgate::ToString(*host), "\""));
  }
  const auto& name = std::get<HostName>(*host);
  // The shortest name below is one character and a dot longer.
  if (subdomains && name.text().size() + 2 > kMaxNameBytes) {
    return Wrong("covers nothing: no name below one of that length fits into the DNS");
  }
  return HostPattern(name, subdomains);
}

bool HostPattern::Matches(const HostName& name) const {
  if (!subdomains_) return name == name_;
  absl::string_view text = name.text();
  return absl::ConsumeSuffix(&text, name_.text()) && absl::EndsWith(text, ".");
}

bool HostPattern::Covers(const HostPattern& other) const {
  if (Matches(other.name_)) return subdomains_ || !other.subdomains_;
  return *this == other;
}

std::string HostPattern::ToString() const {
  return absl::StrCat(subdomains_ ? kStar : "", name_.text());
}

}  // namespace sockgate
