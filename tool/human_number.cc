#include "tool/human_number.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sockgate {
namespace {

// In the first unit in which fewer than `base` are left, also once they are rounded: 999,999 are
// 1.0M and not 1000k.
std::string Scaled(double value, double base, const std::vector<const char*>& units) {
  size_t unit = 0;
  while (std::round(value) >= base && unit + 1 < units.size()) {
    value /= base;
    ++unit;
  }
  const int decimals = unit != 0 && value < 9.95 ? 1 : 0;
  return absl::StrFormat("%.*f%s", decimals, value, units[unit]);
}

std::string Short(double value) {
  constexpr double kMost = 18446744073709551616.0;  // 2^64
  return Scaled(std::min(value, kMost), 1000, {"", "k", "M", "G", "T", "P", "E"});
}

}  // namespace

std::string HumanCount(uint64_t count) { return Short(static_cast<double>(count)); }

std::string HumanRate(double per_second) {
  if (!(per_second > 0)) return "0";
  if (per_second < 0.1) return "<0.1";
  if (per_second < 9.95) return absl::StrFormat("%.1f", per_second);
  return Short(per_second);
}

std::string HumanBytes(uint64_t bytes) {
  return Scaled(static_cast<double>(bytes), 1024,
                {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"});
}

std::string HumanMicroseconds(uint64_t microseconds) {
  constexpr uint64_t kMicrosecondsPerSecond = 1'000'000;
  if (microseconds >= 60 * kMicrosecondsPerSecond) {
    return HumanSeconds(microseconds / kMicrosecondsPerSecond);
  }
  return Scaled(static_cast<double>(microseconds), 1000, {"us", "ms", "s"});
}

std::string HumanSeconds(uint64_t seconds) {
  struct Unit {
    uint64_t seconds;
    const char* name;
  };
  constexpr std::array<Unit, 4> kUnits = {{{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}}};
  for (size_t i = 0; i + 1 < kUnits.size(); ++i) {
    const Unit& unit = kUnits[i];
    const Unit& less = kUnits[i + 1];
    if (seconds < unit.seconds) continue;
    return absl::StrCat(HumanCount(seconds / unit.seconds), unit.name, " ",
                        seconds % unit.seconds / less.seconds, less.name);
  }
  return absl::StrCat(seconds, "s");
}

}  // namespace sockgate
