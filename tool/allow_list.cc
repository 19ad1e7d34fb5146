#include "tool/allow_list.h"

#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "broker/policy/idna.h"

namespace sockgate {
namespace {

constexpr absl::string_view kPublic = "public";

absl::Status Bad(absl::string_view part, absl::string_view text, absl::string_view why) {
  const std::string where = part == text ? "" : absl::StrCat(" in '", text, "'");
  return absl::InvalidArgumentError(absl::StrCat("'", part, "'", where, " ", why));
}

// Whether the text before the ports can only be meant as an address range, so that a slip in it is
// not taken for a name.
bool LooksLikeRange(absl::string_view host) {
  return host.find_first_of("/[]:") != absl::string_view::npos ||
         host.find_first_not_of("0123456789.") == absl::string_view::npos;
}

// HOST:PORTS or CIDR:PORTS, in halves.
struct Halves {
  absl::string_view host;
  absl::string_view ports;

  static absl::StatusOr<Halves> Split(absl::string_view text);
};

absl::StatusOr<Halves> Halves::Split(absl::string_view text) {
  if (absl::StrContains(text, "://")) {
    return Bad(text, text, "is a URL: write its host and ports, such as example.com:443");
  }
  if (text.empty()) return absl::InvalidArgumentError("'' names nothing: write HOST:PORTS");
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos || absl::EndsWith(text, "]")) {
    return Bad(text, text,
               absl::StrCat("names no ports: write '", text, ":443', '", text, ":80,443' or '",
                            text, ":*'"));
  }
  return Halves{text.substr(0, colon), text.substr(colon + 1)};
}

absl::StatusOr<HostPattern> ParsePattern(const Halves& halves, absl::string_view text) {
  if (halves.host == "*") {
    return Bad(halves.host, text,
               absl::StrCat("would cover every name: write public:", halves.ports,
                            ", or *.example.com:", halves.ports, " for the names below one"));
  }
  const auto host = ParseInternationalHost(halves.host);
  if (host.ok() && std::holds_alternative<IpAddress>(*host)) {
    return Bad(
        halves.host, text,
        absl::StrCat("is an address, oddly written: write ", ToString(*host), ":", halves.ports));
  }
  auto pattern = ParseInternationalPattern(halves.host);
  if (!pattern.ok()) return Bad(halves.host, text, pattern.status().message());
  return pattern;
}

absl::StatusOr<PortSet> ParsePorts(const Halves& halves, absl::string_view text) {
  auto ports = PortSet::Parse(halves.ports);
  if (!ports.has_value()) {
    return Bad(halves.ports, text, "is no list of ports: 443, 8000-8100 or *");
  }
  return *std::move(ports);
}

absl::StatusOr<Rule> ParseHostRule(const Halves& halves, absl::string_view text) {
  auto pattern = ParsePattern(halves, text);
  if (!pattern.ok()) return pattern.status();
  auto ports = ParsePorts(halves, text);
  if (!ports.ok()) return ports.status();
  return Rule{Decision::kAllow, *std::move(pattern), *std::move(ports)};
}

absl::StatusOr<Rule> ParseRule(absl::string_view text) {
  const auto halves = Halves::Split(text);
  if (!halves.ok()) return halves.status();
  if (LooksLikeRange(halves->host)) return Rule::Parse(Decision::kAllow, text);
  if (absl::EqualsIgnoreCase(halves->host, kPublic)) {
    auto ports = ParsePorts(*halves, text);
    if (!ports.ok()) return ports.status();
    return Rule{Decision::kAllow, PublicHosts(), *std::move(ports)};
  }
  auto rule = ParseHostRule(*halves, text);
  if (rule.ok()) {
    rule->private_addresses = std::get<HostPattern>(rule->target).name().is_localhost();
  }
  return rule;
}

absl::StatusOr<Rule> ParsePrivateRule(absl::string_view text) {
  const auto halves = Halves::Split(text);
  if (!halves.ok()) return halves.status();
  if (LooksLikeRange(halves->host)) {
    return Bad(halves->host, text, "is no name: --allow takes addresses, private ones too");
  }
  if (absl::EqualsIgnoreCase(halves->host, kPublic)) {
    return Bad(halves->host, text, "is no name: --allow takes it");
  }
  auto rule = ParseHostRule(*halves, text);
  if (rule.ok()) rule->private_addresses = true;
  return rule;
}

}  // namespace

absl::Status AllowList::Add(absl::string_view text) {
  return Keep(ParseRule(text), "--allow", text);
}

absl::Status AllowList::AddPrivate(absl::string_view text) {
  return Keep(ParsePrivateRule(text), "--allow-private", text);
}

absl::Status AllowList::AddDenied(absl::string_view text) {
  auto rule = ParseRule(text);
  if (rule.ok()) {
    rule->decision = Decision::kDeny;
    rule->private_addresses = false;
  }
  return Keep(std::move(rule), "--deny", text);
}

absl::Status AllowList::Keep(absl::StatusOr<Rule> rule, absl::string_view option,
                             absl::string_view text) {
  if (!rule.ok()) return rule.status();
  rules_.push_back(*std::move(rule));
  sources_.push_back(absl::StrCat(option, " ", text));
  return absl::OkStatus();
}

absl::string_view AllowList::Source(uint32_t rule) const {
  return rule == 0 || rule > sources_.size() ? absl::string_view() : sources_[rule - 1];
}

}  // namespace sockgate
