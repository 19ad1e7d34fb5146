// ProcessGauge: what the broker's process takes of the machine.
//
// Process: broker. Made before the cage, which may not leave it the files that it reads. Threads:
// Read() from any. Blocking: a file of /proc, a clock, and a
// system call for each descriptor: not for a thread that serves.

#ifndef SOCKGATE_BROKER_PROCESS_GAUGE_H_
#define SOCKGATE_BROKER_PROCESS_GAUGE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "proto/unique_fd.h"

namespace sockgate {

class ProcessGauge {
 public:
  ProcessGauge();

  struct Reading {
    size_t descriptors = 0;
    size_t descriptor_limit = 0;
    size_t resident_bytes = 0;
    std::chrono::microseconds cpu{0};
  };
  Reading Read() const;

 private:
  const UniqueFd statm_;  // proc(5)
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_PROCESS_GAUGE_H_
