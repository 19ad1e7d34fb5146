// SideServers: the servers that are not HTTP, in one process of their own.
//
// Process: the test, single-threaded. Owns the child, which ends with the object or with the test.
// Errors end the test program.

#ifndef SOCKGATE_TESTS_ESCAPE_FEATURES_SIDE_SERVERS_H_
#define SOCKGATE_TESTS_ESCAPE_FEATURES_SIDE_SERVERS_H_

#include <sys/types.h>

#include <cstdint>

#include "proto/unique_fd.h"

namespace sockgate::escape {

class SideServers {
 public:
  struct Ports {
    uint16_t ftp = 0;
    uint16_t tunnel = 0;
    uint16_t echo = 0;
  };

  SideServers();
  ~SideServers();
  SideServers(const SideServers&) = delete;
  SideServers& operator=(const SideServers&) = delete;

  const Ports& ports() const { return ports_; }

 private:
  pid_t pid_ = -1;
  UniqueFd hold_;  // the child serves until this closes
  Ports ports_;
};

}  // namespace sockgate::escape

#endif  // SOCKGATE_TESTS_ESCAPE_FEATURES_SIDE_SERVERS_H_
