#include "tool/seen_decision.h"

#include <cstddef>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "broker/policy/host_name.h"

namespace sockgate {
namespace {

using Json = nlohmann::json;

// Empty when it is missing or no string: no field that is read here may be.
std::string Text(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return "";
  return found->get<std::string>();
}

// 0 when it is missing or too large.
template <typename Number>
Number Count(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_unsigned()) return 0;
  const auto value = found->get<uint64_t>();
  return value <= std::numeric_limits<Number>::max() ? static_cast<Number>(value) : Number{0};
}

std::optional<Transport> ReadTransport(absl::string_view word) {
  for (const Transport transport : {Transport::kStream, Transport::kDatagram}) {
    if (word == Word(transport)) return transport;
  }
  return std::nullopt;
}

std::optional<Decision> ReadDecision(absl::string_view word) {
  for (const Decision decision : {Decision::kAllow, Decision::kDeny, Decision::kWouldDeny}) {
    if (word == Word(decision)) return decision;
  }
  return std::nullopt;
}

// The day of "2026-01-02T03:04:05.000006Z".
Date ReadDate(absl::string_view time) {
  constexpr absl::string_view kShape = "dddd-dd-ddT";
  if (time.size() < kShape.size()) return 0;
  Date date = 0;
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] != 'd') {
      if (time[i] != kShape[i]) return 0;
    } else if (absl::ascii_isdigit(static_cast<unsigned char>(time[i]))) {
      date = date * 10 + static_cast<Date>(time[i] - '0');
    } else {
      return 0;
    }
  }
  return date;
}

std::optional<Endpoint> ParseUnix(absl::string_view text) {
  // Endpoint prints a leading @ of a path as \x40, and may have a digit after it, which a C string
  // would take for a part of that.
  absl::string_view first;
  if (absl::ConsumePrefix(&text, "@")) {
    first = absl::string_view("\0", 1);
  } else if (absl::ConsumePrefix(&text, "\\x40")) {
    first = "@";
  }
  std::string rest;
  if (!absl::CUnescape(text, &rest)) return std::nullopt;
  return Endpoint::Unix(absl::StrCat(first, rest));
}

// A digit at least, and nothing but digits.
template <typename Number>
bool ReadNumber(absl::string_view text, Number* number) {
  if (text.find_first_not_of("0123456789") != absl::string_view::npos) return false;
  return absl::SimpleAtoi(text, number);
}

// Those of the line, as HostName writes them. Nothing if there is something else among them.
std::optional<std::vector<std::string>> ReadNames(const Json& object) {
  std::vector<std::string> names;
  const auto found = object.find("names");
  if (found == object.end()) return names;
  if (!found->is_array()) return std::nullopt;
  for (const Json& one : *found) {
    const auto name = one.is_string() ? HostName::Parse(one.get_ref<const std::string&>())
                                      : absl::StatusOr<HostName>(absl::InvalidArgumentError(""));
    if (!name.ok()) return std::nullopt;
    names.emplace_back(name->text());
  }
  return names;
}

absl::Status Unlike(absl::string_view field) {
  return absl::InvalidArgumentError(absl::StrCat("has no '", field, "' as the broker writes it"));
}

}  // namespace

std::optional<Endpoint> ParseAuditTarget(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "unix:")) return ParseUnix(text);
  const size_t colon = text.rfind(':');
  uint32_t port;
  if (colon == absl::string_view::npos || !ReadNumber(text.substr(colon + 1), &port) ||
      port > UINT16_MAX) {
    return std::nullopt;
  }
  absl::string_view host = text.substr(0, colon);
  const bool bracketed = absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]");
  uint32_t scope = 0;
  const size_t percent = host.find('%');
  if (percent != absl::string_view::npos) {
    if (!ReadNumber(host.substr(percent + 1), &scope)) return std::nullopt;
    host = host.substr(0, percent);
  }
  const auto address = IpAddress::Parse(host);
  if (!address.has_value() || address->is_v4() == bracketed) return std::nullopt;
  return Endpoint::Ip(*address, static_cast<uint16_t>(port), scope);
}

namespace {

// Else there is nothing that a rule could mend.
bool RulesWereAsked(const Json& json) {
  const std::string reason = Text(json, "reason");
  return reason != Word(Reason::kRoleRemoved) && reason != Word(Reason::kNotConfined);
}

}  // namespace

bool TellsOfDeniedName(absl::string_view line) {
  const Json json = Json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  return json.is_object() && Text(json, "event") == "lookup" &&
         Text(json, "verdict") == Word(Decision::kDeny) && RulesWereAsked(json);
}

absl::StatusOr<std::optional<SeenDecision>> ParseAuditLine(absl::string_view line) {
  const Json json = Json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return absl::InvalidArgumentError("is no JSON object");
  if (Text(json, "event") != "decision" || !RulesWereAsked(json)) {
    return std::optional<SeenDecision>();
  }
  const auto target = ParseAuditTarget(Text(json, "target"));
  const auto transport = ReadTransport(Text(json, "transport"));
  const auto decision = ReadDecision(Text(json, "verdict"));
  auto names = ReadNames(json);
  SeenDecision seen;
  seen.role = Text(json, "role");
  if (seen.role.empty()) return Unlike("role");
  if (!target.has_value()) return Unlike("target");
  if (!transport.has_value()) return Unlike("transport");
  if (!decision.has_value()) return Unlike("verdict");
  if (!names.has_value()) return Unlike("names");
  seen.target = *target;
  seen.names = *std::move(names);
  seen.more_names = Count<uint32_t>(json, "more_names");
  seen.transport = *transport;
  seen.decision = *decision;
  seen.rule = Count<uint32_t>(json, "rule");
  seen.line = Count<uint32_t>(json, "line");
  seen.policy = Count<uint64_t>(json, "policy");
  const std::string reason = Text(json, "reason");
  seen.deny_rule = reason == Word(Reason::kDenyRule);
  seen.own = reason == Word(Reason::kOwnAddress);
  seen.date = ReadDate(Text(json, "time"));
  return std::optional<SeenDecision>(std::move(seen));
}

}  // namespace sockgate
