// ServerProcess: a LoopbackServer in a process of its own, so that a test which forks stays
// single-threaded.
//
// Process: the test. Owns the child, which ends with the object or with the test. Errors end the
// test program.

#ifndef SOCKGATE_TESTS_INTEGRATION_SERVER_PROCESS_H_
#define SOCKGATE_TESTS_INTEGRATION_SERVER_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "proto/unique_fd.h"
#include "tests/support/http_server.h"

namespace sockgate::testing {

class ServerProcess {
 public:
  explicit ServerProcess(LoopbackServer::Options options);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  uint16_t port() const { return port_; }
  std::string Url(const std::string& path) const;
  // What a client must trust; empty without TLS.
  const std::string& certificate_pem() const { return certificate_pem_; }

 private:
  const LoopbackServer::Options options_;
  pid_t pid_ = -1;
  UniqueFd hold_;  // the child serves until this closes
  uint16_t port_ = 0;
  std::string certificate_pem_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_INTEGRATION_SERVER_PROCESS_H_
