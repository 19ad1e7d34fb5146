// Zone: names with their addresses, answered by a name server on 127.0.0.1 for as long as it lives.
//
// Process: the test; one thread beside it, so fork only to execute.

#ifndef SOCKGATE_TESTS_TOOL_ZONE_H_
#define SOCKGATE_TESTS_TOOL_ZONE_H_

#include <map>
#include <string>

#include "tests/support/fake_dns.h"

namespace sockgate::testing {

class Zone {
 public:
  // IPv4 addresses. Other names do not exist.
  explicit Zone(std::map<std::string, std::string> addresses);

  // For --dns-servers.
  std::string server() const;

  bool WasAskedFor(const std::string& name) const;
  bool WasAsked() const { return !dns_.queries().empty(); }

 private:
  const std::map<std::string, std::string> addresses_;
  FakeDns dns_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_TOOL_ZONE_H_
