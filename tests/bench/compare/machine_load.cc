#include "tests/bench/compare/machine_load.h"

#include <unistd.h>

#include <fstream>
#include <string>

namespace sockgate::bench {
namespace {

constexpr char kPortRange[] = "/proc/sys/net/ipv4/ip_local_port_range";
// The columns of /proc/stat's first line: user, nice, system, idle, iowait, irq, softirq, steal.
constexpr int kColumns = 8;
constexpr int kIdle = 3;
constexpr int kIoWait = 4;

}  // namespace

double BusyMicroseconds() {
  std::ifstream file("/proc/stat");
  std::string name;
  file >> name;
  double ticks = 0;
  double column;
  for (int i = 0; i < kColumns && file >> column; ++i) {
    if (i != kIdle && i != kIoWait) ticks += column;
  }
  return ticks * 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
}

size_t TimeWaitCount() {
  std::ifstream file("/proc/self/net/sockstat");
  size_t count;
  for (std::string word; file >> word;) {
    if (word == "tw" && file >> count) return count;
  }
  return 0;
}

size_t LocalPortCount() {
  size_t first = 0;
  size_t last = 0;
  std::ifstream(kPortRange) >> first >> last;
  return last - first;
}

bool WidenLocalPorts() {
  std::ofstream file(kPortRange);
  file << "10240 65535\n";
  file.close();
  return !file.fail();
}

}  // namespace sockgate::bench
