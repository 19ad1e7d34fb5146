#include "broker/policy/policy.h"

#include "absl/strings/str_cat.h"

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

}  // namespace

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
  return Rule{decision, *range, *ports};
}

Verdict Policy::Decide(const Endpoint& endpoint, Transport transport) const {
  if (!endpoint.is_ip()) return {Decision::kDeny, 0, Reason::kNoRuleMatches};
  if (transport != Transport::kStream) return {Decision::kDeny, 0, Reason::kTransport};
  // No rule that names loopback would cover these, nor any audit line say where the socket went.
  if (endpoint.ip().is_unspecified()) return {Decision::kDeny, 0, Reason::kUnspecified};
  Verdict verdict;
  for (size_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = rules_[i];
    if (!rule.range.Contains(endpoint.ip()) || !rule.ports.Contains(endpoint.port())) continue;
    const auto number = static_cast<uint32_t>(i + 1);
    if (rule.decision == Decision::kDeny) return {Decision::kDeny, number, Reason::kDenyRule};
    if (verdict.decision == Decision::kDeny) verdict = {Decision::kAllow, number, Reason::kNone};
  }
  return verdict;
}

}  // namespace sockgate
