// Nghttpd: an HTTP/2 server that others wrote, with TLS, on 127.0.0.1.
//
// Process: the test, in the test network (tests/support/test_namespace.h), where the port is free.
// The server is a child, which ends with the object or with the test. It serves the file /page and
// sends uploads back. Errors end the test program.

#ifndef SOCKGATE_TESTS_ESCAPE_FEATURES_NGHTTPD_H_
#define SOCKGATE_TESTS_ESCAPE_FEATURES_NGHTTPD_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "tests/broker/temp_folder.h"

namespace sockgate::escape {

// What the file has in it.
inline constexpr char kPageBody[] = "hello by HTTP/2\n";

class Nghttpd {
 public:
  // Returns when the server answers.
  Nghttpd();
  ~Nghttpd();
  Nghttpd(const Nghttpd&) = delete;
  Nghttpd& operator=(const Nghttpd&) = delete;

  uint16_t port() const { return kPort; }
  // What a client must trust.
  const std::string& certificate_pem() const { return certificate_pem_; }

 private:
  static constexpr uint16_t kPort = 8443;

  const testing::TempFolder folder_;
  std::string certificate_pem_;
  pid_t pid_ = -1;
};

}  // namespace sockgate::escape

#endif  // SOCKGATE_TESTS_ESCAPE_FEATURES_NGHTTPD_H_
