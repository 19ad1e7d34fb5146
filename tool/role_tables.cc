#include "tool/role_tables.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tool/human_number.h"
#include "tool/printable_text.h"
#include "tool/text_table.h"

namespace sockgate {
namespace {

using Reading = BrokerReading;
using Role = Reading::Role;
using Side = TextTable::Side;

constexpr size_t kMostRows = 10;

// A column of a table with a row for each role.
struct RoleColumn {
  std::string title;
  std::function<std::string(const Role& role, const StatusRates::Role& rates)> cell;
  Side side = Side::kRight;
};

std::string CountText(const Reading::Count& count) {
  return count.has_value() ? HumanCount(*count) : "-";
}

std::string RateText(const StatusRates::Rate& rate) {
  return rate.has_value() ? HumanRate(*rate) : "-";
}

std::string BytesText(const Reading::Count& bytes) {
  return bytes.has_value() ? HumanBytes(*bytes) : "-";
}

// A number of the role, or of its connects or lookups.
RoleColumn Number(std::string title, Reading::Count Role::*count) {
  return {std::move(title),
          [=](const Role& role, const StatusRates::Role&) { return CountText(role.*count); }};
}

RoleColumn Number(std::string title, Reading::Requests Role::*requests,
                  Reading::Count Reading::Requests::*count) {
  return {std::move(title), [=](const Role& role, const StatusRates::Role&) {
            return CountText(role.*requests.*count);
          }};
}

RoleColumn Bytes(std::string title, Reading::Count Role::*bytes) {
  return {std::move(title),
          [=](const Role& role, const StatusRates::Role&) { return BytesText(role.*bytes); }};
}

RoleColumn PerSecond(std::string title, StatusRates::Rate StatusRates::Role::*rate) {
  return {std::move(title),
          [=](const Role&, const StatusRates::Role& rates) { return RateText(rates.*rate); }};
}

RoleColumn Mode() {
  return {"MODE",
          [](const Role& role, const StatusRates::Role&) {
            return role.removed ? "removed" : PrintableText(role.mode);
          },
          Side::kLeft};
}

// What report mode lets through is worth a column only where there is report mode.
bool HasReportMode(const Reading& reading) {
  return std::any_of(reading.roles.begin(), reading.roles.end(), [](const auto& entry) {
    return entry.second.mode == "report" || entry.second.connects.would_deny.value_or(0) != 0;
  });
}

Lines RoleTable(const Reading& reading, const StatusRates& rates,
                const std::vector<RoleColumn>& columns) {
  if (reading.roles.empty()) return {};
  std::vector<TextTable::Column> titles = {{"ROLE", Side::kLeft}};
  for (const RoleColumn& column : columns) titles.push_back({column.title, column.side});
  TextTable table(std::move(titles));
  for (const auto& [name, role] : reading.roles) {
    const auto found = rates.roles.find(name);
    const StatusRates::Role of_role =
        found == rates.roles.end() ? StatusRates::Role() : found->second;
    TextTable::Row row = {PrintableText(name)};
    for (const RoleColumn& column : columns) row.push_back(column.cell(role, of_role));
    table.Add(std::move(row));
  }
  return table.Lines();
}

// A row of a table of what was counted, where the highest counts come first.
struct Counted {
  uint64_t count;
  TextTable::Row row;
};

Lines TopTable(std::vector<TextTable::Column> titles, std::vector<Counted> all) {
  if (all.empty()) return {};
  std::stable_sort(all.begin(), all.end(),
                   [](const Counted& a, const Counted& b) { return a.count > b.count; });
  const size_t shown = std::min(all.size(), kMostRows);
  TextTable table(std::move(titles));
  for (size_t i = 0; i < shown; ++i) table.Add(std::move(all[i].row));
  Lines lines = table.Lines();
  if (shown < all.size()) lines.push_back(absl::StrCat("(and ", all.size() - shown, " more)"));
  return lines;
}

std::string DenialRate(const StatusRates& rates, const std::string& role,
                       const Reading::Rule& rule) {
  const auto of_role = rates.roles.find(role);
  if (of_role == rates.roles.end()) return "-";
  const auto rate = of_role->second.denials.find(rule);
  return rate == of_role->second.denials.end() ? "-" : HumanRate(rate->second);
}

std::string NumberOrNone(uint64_t number) { return number == 0 ? "-" : absl::StrCat(number); }

}  // namespace

Lines ConnectsTable(const Reading& reading) {
  using Requests = Reading::Requests;
  std::vector<RoleColumn> columns = {Mode(),
                                     Number("WORKERS", &Role::workers),
                                     Number("CHANNELS", &Role::channels),
                                     Number("PENDING", &Role::pending),
                                     Number("ASKED", &Role::connects, &Requests::asked),
                                     Number("DENIED", &Role::connects, &Requests::denied)};
  if (HasReportMode(reading)) {
    columns.push_back(Number("WOULD", &Role::connects, &Requests::would_deny));
  }
  columns.push_back(Number("LIMITED", &Role::connects, &Requests::limited));
  columns.push_back(Number("FAILED", &Role::connects, &Requests::failed));
  for (const auto& [title, share] : {std::pair("P50", 0.5), std::pair("P99", 0.99)}) {
    columns.push_back({title, [share = share](const Role& role, const StatusRates::Role&) {
                         return QuantileText(role.connect_times, share);
                       }});
  }
  return RoleTable(reading, {}, columns);
}

Lines LiveTable(const Reading& reading, const StatusRates& rates) {
  using Rates = StatusRates::Role;
  std::vector<RoleColumn> columns = {
      Mode(), Number("WORKERS", &Role::workers), Number("PENDING", &Role::pending),
      PerSecond("ASKED/S", &Rates::asked), PerSecond("DENY/S", &Rates::denied)};
  if (HasReportMode(reading)) columns.push_back(PerSecond("WOULD/S", &Rates::would_deny));
  columns.push_back(PerSecond("LIMIT/S", &Rates::limited));
  columns.push_back(PerSecond("FAIL/S", &Rates::failed));
  for (const auto& [title, share] : {std::pair("P50", 0.5), std::pair("P99", 0.99)}) {
    columns.push_back({title, [share = share](const Role&, const Rates& of_role) {
                         return QuantileText(of_role.connect_times, share);
                       }});
  }
  columns.push_back(PerSecond("NAMES/S", &Rates::lookups));
  return RoleTable(reading, rates, columns);
}

Lines TrafficTable(const Reading& reading) {
  using Requests = Reading::Requests;
  return RoleTable(
      reading, {},
      {Number("RULES", &Role::rules), Number("LOOKUPS", &Role::lookups, &Requests::asked),
       Number("DENIED", &Role::lookups, &Requests::denied),
       Number("LIMITED", &Role::lookups, &Requests::limited),
       Number("FAILED", &Role::lookups, &Requests::failed), Number("UNREAD", &Role::unread),
       Number("TRACKED", &Role::tracked), Bytes("SENT", &Role::bytes_sent),
       Bytes("RECEIVED", &Role::bytes_received), Number("VIOLATIONS", &Role::violations)});
}

Lines DenialsTable(const Reading& reading, const StatusRates* rates) {
  std::vector<TextTable::Column> titles = {{"DENIED"}};
  if (rates != nullptr) titles.push_back({"DENIED/S"});
  for (const char* title : {"ROLE", "RULE", "LINE", "REASON"}) {
    titles.push_back({title, Side::kLeft});
  }
  std::vector<Counted> all;
  for (const auto& [name, role] : reading.roles) {
    for (const auto& [rule, count] : role.denials) {
      TextTable::Row row = {HumanCount(count)};
      if (rates != nullptr) row.push_back(DenialRate(*rates, name, rule));
      row.insert(row.end(), {PrintableText(name), NumberOrNone(rule.number),
                             NumberOrNone(rule.line), PrintableText(rule.reason)});
      all.push_back({count, std::move(row)});
    }
  }
  return TopTable(std::move(titles), std::move(all));
}

Lines LimitsTable(const Reading& reading) {
  std::vector<Counted> all;
  for (const auto& [name, role] : reading.roles) {
    for (const auto& [reason, count] : role.limits) {
      all.push_back({count, {HumanCount(count), PrintableText(name), PrintableText(reason)}});
    }
  }
  return TopTable({{"LIMITED"}, {"ROLE", Side::kLeft}, {"LIMIT", Side::kLeft}}, std::move(all));
}

Lines ListenTable(const Reading& reading) {
  if (reading.listen.empty()) return {};
  TextTable table({{"ROLE", Side::kLeft}, {"MODE", Side::kLeft}, {"LISTENING ON", Side::kLeft}});
  for (const Reading::Listen& at : reading.listen) {
    table.Add({PrintableText(at.role), PrintableText(at.mode), PrintableText(at.path)});
  }
  return table.Lines();
}

}  // namespace sockgate
