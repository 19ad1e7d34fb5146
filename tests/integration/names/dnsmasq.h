// Dnsmasq: a name server that others wrote, on 127.0.0.1 with a zone of the test's own and a log of
// what it was asked.
//
// Process: the test, in the test network (tests/support/test_namespace.h), where the port is free.
// The server is a child, which ends with the object or with the test. Its records have a TTL of a
// minute where the zone says nothing else. Errors end the test program.

#ifndef SOCKGATE_TESTS_INTEGRATION_NAMES_DNSMASQ_H_
#define SOCKGATE_TESTS_INTEGRATION_NAMES_DNSMASQ_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/broker/temp_folder.h"

namespace sockgate::testing {

class Dnsmasq {
 public:
  // `zone`: options of dnsmasq(8), such as "--host-record=a.test,8.8.8.1". What it does not name
  // does not exist. Returns when the server answers.
  explicit Dnsmasq(const std::vector<std::string>& zone);
  ~Dnsmasq();
  Dnsmasq(const Dnsmasq&) = delete;
  Dnsmasq& operator=(const Dnsmasq&) = delete;

  uint16_t port() const { return kPort; }

  // How often its log says that the name's IPv4 addresses were asked for.
  size_t TimesAsked(const std::string& name) const;
  // Whether its log has the name anywhere, in whatever kind of query.
  bool HasHeardOf(const std::string& name) const;

 private:
  static constexpr uint16_t kPort = 5300;

  std::string Log() const;

  const TempFolder folder_;
  pid_t pid_ = -1;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_INTEGRATION_NAMES_DNSMASQ_H_
