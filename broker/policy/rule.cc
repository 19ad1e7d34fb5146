#include "broker/policy/rule.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/limits.h"

namespace sockgate {
namespace {

// Splits at the colon before the ports, and takes the brackets off.
bool SplitRange(absl::string_view text, absl::string_view* range, absl::string_view* ports) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return false;
  *range = text.substr(0, colon);
  *ports = text.substr(colon + 1);
  const bool bracketed = range->size() >= 2 && range->front() == '[' && range->back() == ']';
  if (bracketed) *range = range->substr(1, range->size() - 2);
  const bool v6 = range->find(':') != absl::string_view::npos;
  return bracketed == v6;
}

struct TargetPrinter {
  std::string operator()(const Cidr& cidr) const { return cidr.ToString(); }
  std::string operator()(const HostPattern& pattern) const { return pattern.ToString(); }
  std::string operator()(const UnixPath& unix_path) const {
    return absl::StrCat("unix ", unix_path.path);
  }
  std::string operator()(const PublicHosts& /*all*/) const { return "public"; }
};

absl::string_view Word(Transports transports) {
  if (!transports.Contains(Transport::kDatagram)) return " tcp";
  return transports.Contains(Transport::kStream) ? " tcp and udp" : " udp";
}

}  // namespace

absl::StatusOr<UnixPath> UnixPath::Parse(absl::string_view text) {
  const absl::string_view fault = Fault(text);
  if (fault.empty()) return UnixPath{std::string(text)};
  return absl::InvalidArgumentError(absl::StrCat("'", text, "' ", fault));
}

absl::string_view UnixPath::Fault(absl::string_view text) {
  if (text.empty() || text[0] != '/') return "is no absolute path";
  if (text.size() >= kMaxUnixPathBytes) return "is longer than the 107 bytes of a socket's path";
  if (text.find('\0') != absl::string_view::npos) return "has a NUL in it";
  for (const absl::string_view part : absl::StrSplit(text.substr(1), '/')) {
    if (part.empty()) return "has a slash too many";
    if (part == "." || part == "..") return "is not spelled out: no '.' and no '..'";
  }
  return {};
}

absl::StatusOr<Rule> Rule::Parse(Decision decision, absl::string_view text) {
  absl::string_view range_text;
  absl::string_view ports_text;
  if (!SplitRange(text, &range_text, &ports_text)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text, "' is not CIDR:PORTS (IPv6 in brackets), such as 192.0.2.0/24:80,443"));
  }
  const auto range = Cidr::Parse(range_text);
  if (!range.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", range_text, "' in '", text, "' is no address range: ADDRESS or ADDRESS/PREFIX",
        " with no bits set beyond the prefix"));
  }
  const auto ports = PortSet::Parse(ports_text);
  if (!ports.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("'", ports_text, "' in '", text,
                                                   "' is no list of ports: 443, 8000-8100 or *"));
  }
  Rule rule = {decision, *range, *ports};
  if (decision == Decision::kDeny) rule.transports = Transports::Both();
  return rule;
}

std::string Rule::ToString() const {
  std::string text =
      absl::StrCat(sockgate::Word(decision), " ", std::visit(TargetPrinter(), target));
  if (std::holds_alternative<UnixPath>(target)) return text;
  absl::StrAppend(&text, ports.all() ? absl::string_view(" all ports") : " ports ",
                  ports.all() ? std::string() : ports.ToString(), Word(transports));
  if (private_addresses) text.append(" private");
  return text;
}

}  // namespace sockgate
