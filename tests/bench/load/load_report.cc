#include "tests/bench/load/load_report.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"

namespace sockgate::bench {
namespace {

using nlohmann::json;

std::string IdleText(const IdleCost& idle) {
  return absl::StrFormat(
      "%d idle channels: %.0f bytes of the broker's memory for each; it wakes up %.1f times a "
      "second "
      "with them, %.1f without.\n",
      idle.channels, idle.bytes_per_channel, idle.wakeups_with, idle.wakeups_without);
}

std::string TableText(const LoadTable& table) {
  std::string text = absl::StrFormat("\n%s; %s mode: %d rounds of %d", table.load, table.mode,
                                     table.rounds, table.batch);
  if (table.per_second > 0) absl::StrAppendFormat(&text, "; %.0f a second", table.per_second);
  absl::StrAppendFormat(&text, "\n%-10s %9s %9s %8s %8s %8s %8s %8s %8s %8s %8s\n", "", "p50 us",
                        "p99 us", "p99/p99", "p50 rat.", "min", "max", "p99 rat.", "min", "max",
                        "CPU");
  for (const LoadSide& side : table.sides) {
    absl::StrAppendFormat(
        &text, "%-10s %9.1f %9.1f %8.2f %8.2f %8.2f %8.2f %8.2f %8.2f %8.2f %7.0f%%\n", side.side,
        side.us.p50, side.us.p99, side.p99_to_alone, side.p50_ratio.median, side.p50_ratio.min,
        side.p50_ratio.max, side.p99_ratio.median, side.p99_ratio.min, side.p99_ratio.max,
        side.broker_cpu * 100);
  }
  return text;
}

json SpreadJson(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.min}, {"max", spread.max}};
}

json SideJson(const LoadSide& side) {
  return {{"side", side.side},
          {"us", {{"p50", side.us.p50}, {"p90", side.us.p90}, {"p99", side.us.p99}}},
          {"p99_to_alone", side.p99_to_alone},
          {"p50_ratio", SpreadJson(side.p50_ratio)},
          {"p99_ratio", SpreadJson(side.p99_ratio)},
          {"broker_cpu", side.broker_cpu}};
}

json TableJson(const LoadTable& table) {
  json sides = json::array();
  for (const LoadSide& side : table.sides) sides.push_back(SideJson(side));
  return {{"load", table.load},
          {"mode", table.mode},
          {"rounds", table.rounds},
          {"batch", table.batch},
          {"per_second", table.per_second},
          {"sides", sides}};
}

}  // namespace

std::string ToText(const LoadReport& report) {
  std::string text =
      "Time until a connected socket is in hand, loopback TCP, for a healthy worker. p99/p99: of "
      "all "
      "connects, to alone.\nRatios: of a round's batches to alone in the same round. CPU: of one "
      "processor, that the broker used meanwhile.\n\n";
  text += IdleText(report.idle);
  for (const LoadTable& table : report.tables) text += TableText(table);
  return text;
}

std::string ToJson(const LoadReport& report) {
  json tables = json::array();
  for (const LoadTable& table : report.tables) tables.push_back(TableJson(table));
  const json object = {{"idle",
                        {{"channels", report.idle.channels},
                         {"bytes_per_channel", report.idle.bytes_per_channel},
                         {"wakeups_without", report.idle.wakeups_without},
                         {"wakeups_with", report.idle.wakeups_with}}},
                       {"tables", tables}};
  return object.dump(2) + "\n";
}

}  // namespace sockgate::bench
