#include "tests/bench/compare/compare_report.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/bench/compare/compare_aims.h"
#include "tests/bench/compare/compare_chart.h"
#include "tests/bench/compare/compare_tables.h"
#include "tests/bench/report.h"

namespace sockgate::bench {
namespace {

using nlohmann::json;

constexpr char kBegin[] = "<!-- The figures from here on are written by tests/bench/compare. -->\n";
constexpr char kEnd[] = "<!-- The figures end here. -->\n";

json RateJson(const RateFigure& figure) {
  const Spread& ratio = figure.ratio;
  return {{"rate", figure.rate},
          {"ratio", {{"median", ratio.median}, {"min", ratio.min}, {"max", ratio.max}}},
          {"helper_us", figure.helper_us}};
}

json RowJson(const CompareRow& row) {
  json rates = json::object();
  for (size_t i = 0; i < kMeasures.size(); ++i) {
    if (row.rates[i].has_value()) rates[kMeasures[i].key] = RateJson(*row.rates[i]);
  }
  json memory = json::array();
  for (const HelperMemory& figure : row.memory) {
    memory.push_back({{"all", figure.all}, {"first", figure.first}});
  }
  return {{"key", row.key},
          {"name", row.name},
          {"remark", row.remark},
          {"rates", rates},
          {"memory", memory}};
}

// What stands around the figures stays.
std::string Between(const std::string& old, const std::string& figures) {
  const std::string block = absl::StrCat(kBegin, "\n", figures, "\n", kEnd);
  const size_t begin = old.find(kBegin);
  const size_t end = old.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) return block;
  return absl::StrCat(old.substr(0, begin), block, old.substr(end + sizeof(kEnd) - 1));
}

}  // namespace

std::string ToText(const CompareReport& report) {
  return absl::StrCat(Conditions(report), "\n", ToText(RatioTable(report)), "\n",
                      ToText(CostTable(report)), "\n", ToText(AimTable(report)), "\n",
                      Remarks(report));
}

std::string ToMarkdown(const CompareReport& report) {
  return absl::StrCat(Conditions(report), "\n", ToMarkdown(RatioTable(report)), "\n",
                      ToMarkdown(CostTable(report)), "\n", ToMarkdown(AimTable(report)), "\n",
                      Remarks(report));
}

std::string ToChart(const CompareReport& report) { return ToSvg(ChartOf(report)); }

std::string ToJson(const CompareReport& report) {
  json rows = json::array();
  for (const CompareRow& row : report.rows) rows.push_back(RowJson(row));
  json load = json::object();
  for (size_t i = 0; i < kMeasures.size(); ++i) {
    load[kMeasures[i].key] = {{"server", report.load[i].server},
                              {"machine", report.load[i].machine}};
  }
  const json object = {{"server", report.server},           {"processors", report.processors},
                       {"rounds", report.rounds},           {"connect_us", report.connect_us},
                       {"time_wait", report.time_wait},     {"load", load},
                       {"connections", report.connections}, {"rows", rows}};
  return object.dump(2) + "\n";
}

absl::Status WriteDocuments(const std::string& folder, const CompareReport& report) {
  const std::string page = folder + "/comparison.md";
  std::ostringstream old;
  old << std::ifstream(page).rdbuf();
  if (!WriteFile(page, Between(old.str(), ToMarkdown(report))) ||
      !WriteFile(folder + "/comparison.svg", ToChart(report))) {
    return absl::UnavailableError(absl::StrCat("cannot write to ", folder));
  }
  return absl::OkStatus();
}

}  // namespace sockgate::bench
