// ServiceManager: plays systemd for a daemon that the test starts: it binds sockets for it, and hears
// how it fares.
//
// Process: the test, but for what Hands() returns, which runs in the daemon's before it becomes the
// daemon. Every wait ends after ten seconds.

#ifndef SOCKGATE_TESTS_TOOL_SERVICE_MANAGER_H_
#define SOCKGATE_TESTS_TOOL_SERVICE_MANAGER_H_

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "proto/unique_fd.h"

namespace sockgate::testing {

class ServiceManager {
 public:
  // `notify` as it stands in NOTIFY_SOCKET: a path, or an abstract name with an '@' before it.
  explicit ServiceManager(std::string notify);
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  // Listens there for the next daemon.
  void Bind(const std::string& path, mode_t mode);

  // For StartSockgate().
  std::function<void()> Hands(std::chrono::microseconds watchdog = {}) const;

  // The next message, or "". The test fails if it is not from this process.
  std::string Next(pid_t from, std::chrono::milliseconds patience = std::chrono::seconds(10)) const;
  // The next one that begins so, whatever comes before it.
  std::string NextOf(pid_t from, const std::string& beginning) const;

 private:
  const std::string notify_;
  UniqueFd heard_;
  std::vector<UniqueFd> sockets_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_TOOL_SERVICE_MANAGER_H_
