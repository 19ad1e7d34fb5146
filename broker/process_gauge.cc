#include "broker/process_gauge.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdio>

namespace sockgate {
namespace {

// The second number of the line, in pages.
size_t ResidentBytes(int statm) {
  std::array<char, 128> text = {};
  if (pread(statm, text.data(), text.size() - 1, 0) <= 0) return 0;
  size_t pages = 0;
  if (std::sscanf(text.data(), "%*u %zu", &pages) != 1) return 0;
  return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// The kernel gives out the lowest number that is free, so a long stretch without any lies beyond the
// last. /proc/self/fd is closed to a process that is not dumpable.
size_t OpenDescriptors() {
  constexpr int kStretch = 1024;
  size_t open = 0;
  for (int fd = 0, last = 0; fd < last + kStretch; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) continue;
    ++open;
    last = fd;
  }
  return open;
}

}  // namespace

ProcessGauge::ProcessGauge() : statm_(open("/proc/self/statm", O_RDONLY | O_CLOEXEC)) {}

ProcessGauge::Reading ProcessGauge::Read() const {
  Reading reading;
  reading.descriptors = OpenDescriptors();
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) reading.descriptor_limit = limit.rlim_cur;
  if (statm_.valid()) reading.resident_bytes = ResidentBytes(statm_.get());
  timespec cpu = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  reading.cpu = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::seconds(cpu.tv_sec) + std::chrono::nanoseconds(cpu.tv_nsec));
  return reading;
}

}  // namespace sockgate
