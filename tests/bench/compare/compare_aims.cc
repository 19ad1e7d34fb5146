#include "tests/bench/compare/compare_aims.h"

#include <cmath>
#include <functional>
#include <optional>
#include <string>

#include "absl/strings/str_format.h"

namespace sockgate::bench {
namespace {

constexpr double kMib = 1 << 20;

// A figure beside its aim.
struct Reached {
  std::string text;
  bool yes = false;
};
using Look = std::function<std::optional<Reached>(const CompareRow&)>;

bool IsSockgate(const CompareRow& row) { return row.name.rfind("sockgate", 0) == 0; }

// By what is printed: 0.996 is 1.00.
Look AtLeast(size_t measure, double aim) {
  return [=](const CompareRow& row) -> std::optional<Reached> {
    if (!row.rates[measure].has_value()) return std::nullopt;
    const double ratio = std::round(row.rates[measure]->ratio.median * 100) / 100;
    return Reached{absl::StrFormat("%.2f", ratio), ratio >= aim};
  };
}

// As programs have it, libcurl looks for certificates in a folder, too, and so parses all that it
// trusts for each connection.
Look AtLeastDefault(const CompareReport& report) {
  const CompareRow* base = nullptr;
  for (const CompareRow& row : report.rows) {
    if (row.key == "capath" && row.rates[kHttps].has_value()) base = &row;
  }
  return [base](const CompareRow& row) -> std::optional<Reached> {
    if (base == nullptr || !row.rates[kHttps].has_value()) return std::nullopt;
    const double ratio = row.rates[kHttps]->rate / base->rates[kHttps]->rate;
    return Reached{absl::StrFormat("%.1f", ratio), ratio >= 1};
  };
}

Look HelperAtMost(double us) {
  return [us](const CompareRow& row) -> std::optional<Reached> {
    if (!row.rates[kSmall].has_value()) return std::nullopt;
    const double used = row.rates[kSmall]->helper_us;
    return Reached{absl::StrFormat("%.1f us", used), used <= us};
  };
}

Look MemoryBelow(size_t index, size_t HelperMemory::*which, double bytes) {
  return [=](const CompareRow& row) -> std::optional<Reached> {
    if (row.memory.size() <= index) return std::nullopt;
    const auto used = static_cast<double>(row.memory[index].*which);
    return Reached{absl::StrFormat("%.1f MiB", used / kMib), used < bytes};
  };
}

void AddAim(const std::string& name, const Look& look, const CompareReport& report,
            FigureTable* table) {
  std::vector<std::string> cells = {name};
  bool measured = false;
  for (const CompareRow& row : report.rows) {
    if (!IsSockgate(row)) continue;
    const auto reached = look(row);
    measured = measured || reached.has_value();
    cells.push_back(!reached.has_value() ? "-" : reached->text + (reached->yes ? ", yes" : ", no"));
  }
  if (measured) table->rows.push_back(std::move(cells));
}

}  // namespace

FigureTable AimTable(const CompareReport& report) {
  constexpr double kBrokerUs = 10;
  constexpr double kBrokerMib = 8;
  FigureTable table;
  table.header = {"aim"};
  for (const CompareRow& row : report.rows) {
    if (IsSockgate(row)) table.header.push_back(row.name);
  }
  const size_t most = report.connections.size() - 1;
  AddAim("one at a time: at least 0.92 of plain", AtLeast(kSmall, 0.92), report, &table);
  AddAim("100 at once: at least 0.85", AtLeast(kConcurrent, 0.85), report, &table);
  AddAim("HTTPS: at least 1.00", AtLeast(kHttps, 1), report, &table);
  AddAim("HTTPS, to plain with its default CAPATH: at least 1.0", AtLeastDefault(report), report,
         &table);
  AddAim("bulk: at least 1.00", AtLeast(kBulk, 1), report, &table);
  AddAim(absl::StrFormat("broker's CPU a fetch: at most that of a connect (%.1f us) and %.0f us",
                         report.connect_us, kBrokerUs),
         HelperAtMost(report.connect_us + kBrokerUs), report, &table);
  AddAim(absl::StrFormat("broker's memory with %d connections: below %.0f MiB",
                         report.connections[most], kBrokerMib),
         MemoryBelow(most, &HelperMemory::first, kBrokerMib * kMib), report, &table);
  AddAim("the same with its resolver's", MemoryBelow(most, &HelperMemory::all, kBrokerMib * kMib),
         report, &table);
  return table;
}

}  // namespace sockgate::bench
