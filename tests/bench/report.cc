#include "tests/bench/report.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sockgate::bench {
namespace {

using nlohmann::json;

std::string CpuText(double microseconds) {
  return microseconds == 0 ? "-" : absl::StrFormat("%.1f", microseconds);
}

absl::string_view Word(Acceptor acceptor) {
  return acceptor == Acceptor::kProcess ? "a process accepts each connection at once"
                                        : "nobody accepts before the batch is over";
}

std::string RowsText(const std::vector<LatencyRow>& rows) {
  std::string text = absl::StrFormat("%-32s %8s %8s %8s %8s %8s %8s %8s\n", "", "p50 us", "p90 us",
                                     "p99 us", "ratio", "min", "max", "CPU us");
  for (const LatencyRow& row : rows) {
    absl::StrAppendFormat(&text, "%-32s %8.1f %8.1f %8.1f %8.2f %8.2f %8.2f %8s\n", row.way,
                          row.us.p50, row.us.p90, row.us.p99, row.ratio.median, row.ratio.min,
                          row.ratio.max, CpuText(row.helper_cpu_us));
  }
  return text;
}

std::string LatencyText(const LatencyTable& table) {
  const std::string text = absl::StrFormat(
      "Time until a connected socket is in hand, loopback TCP; %s.\n%d rounds, in each %d connects "
      "of every way. Ratio: a round's median to plain blocking\nsocket() + connect() in the same "
      "round. CPU: of the process that helps, per connect.\n",
      Word(table.acceptor), table.rounds, table.batch);
  return text + RowsText(table.rows);
}

std::string LookupText(const LookupTable& table) {
  const std::string text = absl::StrFormat(
      "Time until the addresses of a name are in hand: %d rounds, in each %d lookups of every way. "
      "Ratio: a round's\nmedian to libc's in the same round. CPU: of the broker, without its "
      "resolver, per lookup.\n",
      table.rounds, table.batch);
  return text + RowsText(table.rows);
}

absl::string_view Word(FetchHosts hosts) {
  switch (hosts) {
    case FetchHosts::kAddress:
      return "address";
    case FetchHosts::kNewNames:
      return "new";
    case FetchHosts::kOneName:
      return "same";
  }
  return "";
}

std::string RateText(const RateTable& table) {
  std::string text = absl::StrFormat(
      "Small fetches, each over a new connection, a second: %d rounds. Plain libcurl against "
      "libcurl in a worker\nunder seccomp. Ratio: to plain libcurl in the same round. CPU: the "
      "broker's, per fetch.\n",
      table.rounds);
  absl::StrAppendFormat(&text, "%-32s %8s %8s %8s %8s %8s %8s %8s %8s\n", "", "host", "at once",
                        "batch", "per s", "ratio", "min", "max", "CPU us");
  for (const RateRow& row : table.rows) {
    absl::StrAppendFormat(&text, "%-32s %8s %8d %8d %8.0f %8.2f %8.2f %8.2f %8s\n", row.side,
                          Word(row.load.hosts), row.load.concurrency, row.load.batch,
                          row.per_second, row.ratio.median, row.ratio.min, row.ratio.max,
                          CpuText(row.broker_cpu_us));
  }
  return text;
}

json SpreadJson(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.min}, {"max", spread.max}};
}

json RowsJson(const std::vector<LatencyRow>& rows) {
  json array = json::array();
  for (const LatencyRow& row : rows) {
    array.push_back({{"way", row.way},
                     {"us", {{"p50", row.us.p50}, {"p90", row.us.p90}, {"p99", row.us.p99}}},
                     {"ratio", SpreadJson(row.ratio)},
                     {"helper_cpu_us", row.helper_cpu_us}});
  }
  return array;
}

json LookupJson(const LookupTable& table) {
  return {{"rounds", table.rounds}, {"batch", table.batch}, {"rows", RowsJson(table.rows)}};
}

json LatencyJson(const LatencyTable& table) {
  return {{"acceptor", std::string(Word(table.acceptor))},
          {"rounds", table.rounds},
          {"batch", table.batch},
          {"rows", RowsJson(table.rows)}};
}

json RateJson(const RateTable& table) {
  json rows = json::array();
  for (const RateRow& row : table.rows) {
    rows.push_back({{"side", row.side},
                    {"host", std::string(Word(row.load.hosts))},
                    {"concurrency", row.load.concurrency},
                    {"batch", row.load.batch},
                    {"per_second", row.per_second},
                    {"ratio", SpreadJson(row.ratio)},
                    {"broker_cpu_us", row.broker_cpu_us}});
  }
  return {{"rounds", table.rounds}, {"rows", rows}};
}

}  // namespace

std::string ToText(const Report& report) {
  std::string text;
  for (const LatencyTable& table : report.latency) {
    absl::StrAppend(&text, LatencyText(table), "\n");
  }
  return text + RateText(report.rate);
}

std::string ToText(const ResolveReport& report) {
  return absl::StrCat(LookupText(report.lookups), "\n", RateText(report.rate));
}

std::string ToText(const RateTable& table) { return RateText(table); }

std::string ToJson(const RateTable& table) {
  const json object = {{"rate", RateJson(table)}};
  return object.dump(2) + "\n";
}

std::string ToJson(const Report& report) {
  json latency = json::array();
  for (const LatencyTable& table : report.latency) latency.push_back(LatencyJson(table));
  const json object = {{"latency", latency}, {"rate", RateJson(report.rate)}};
  return object.dump(2) + "\n";
}

std::string ToJson(const ResolveReport& report) {
  const json object = {{"lookups", LookupJson(report.lookups)}, {"rate", RateJson(report.rate)}};
  return object.dump(2) + "\n";
}

bool WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  return !file.fail();
}

}  // namespace sockgate::bench
