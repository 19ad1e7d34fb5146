// LoopbackServer: an HTTP/1.1 server inside the test's own process, in the clear or with TLS.
//
// Process: tests, benchmarks and the demo; never part of sockgate itself. The listener lives in the
// network namespace of the thread that calls Start(). Ownership: the object owns its one thread,
// its sockets and its certificate; the destructor stops it. Threads: Stop() from one thread,
// everything else from any. A thread means that a process which forks later forks with two: start
// the server in a process that does not, or afterwards, or fork only to exec. Connections end even
// where such a child holds their descriptors. Clients are hostile: nothing that they send makes it
// crash, block, or use unbounded memory for each. A client that connects and says nothing is kept
// until it leaves or Stop(); all waits in one epoll. What it answers: http_routes.h. Keep-alive,
// pipelining, HEAD, Expect: 100-continue; no chunked bodies.

#ifndef SOCKGATE_TESTS_SUPPORT_HTTP_SERVER_H_
#define SOCKGATE_TESTS_SUPPORT_HTTP_SERVER_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/http_loop.h"
#include "tests/support/tls_identity.h"

namespace sockgate::testing {

class LoopbackServer {
 public:
  struct Options {
    std::string address = "127.0.0.1";  // a literal: 127.0.0.1, ::1, 127.0.0.2, ...
    uint16_t port = 0;                  // 0: the kernel chooses
    std::string unix_path;              // listens there instead, and port() stays 0
    bool tls = false;
    // In the certificate, besides localhost, 127.0.0.1, ::1 and `address`.
    std::vector<std::string> extra_names;
    size_t max_connections = 20000;  // open at a time; more wait in the listener's queue
  };

  // Listens and serves. Errors: what the kernel or OpenSSL refused.
  static absl::StatusOr<std::unique_ptr<LoopbackServer>> Start(Options options);

  ~LoopbackServer() { Stop(); }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  // Closes the listener and every connection. Idempotent; the counters stay readable.
  void Stop();

  const std::string& address() const { return options_.address; }
  uint16_t port() const { return port_; }

  // `address:port`, as in a URL.
  std::string authority() const;

  // `http://authority` + path, or https.
  std::string Url(absl::string_view path) const;

  // What a client must trust; empty without TLS.
  std::string certificate_pem() const;

  uint64_t connections_accepted() const { return counters_.connections_accepted; }
  uint64_t connections_open() const { return counters_.connections_open; }
  // Counted before the first byte of the answer leaves, malformed requests not at all.
  uint64_t requests_served() const { return counters_.requests_served; }

 private:
  LoopbackServer(Options options, uint16_t port, std::optional<TlsIdentity> identity);

  HttpLoop::StreamFactory MakeStreamFactory() const;
  absl::Status Launch(UniqueFd listener);

  const Options options_;
  const uint16_t port_;
  const std::optional<TlsIdentity> identity_;
  HttpCounters counters_;
  std::unique_ptr<HttpLoop> loop_;
  std::thread thread_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_HTTP_SERVER_H_
