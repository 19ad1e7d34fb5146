// TunnelProxy: an HTTP CONNECT and SOCKS5 proxy (RFC 9110, RFC 1928) on 127.0.0.1, to IPv4 literals
// only, without authentication, for one client at a time.
//
// Process: tests. Owns one thread, in which everything happens; the destructor ends it, also in the
// middle of a tunnel.

#ifndef SOCKGATE_TESTS_SUPPORT_TUNNEL_PROXY_H_
#define SOCKGATE_TESTS_SUPPORT_TUNNEL_PROXY_H_

#include <cstdint>
#include <thread>

#include "proto/unique_fd.h"

namespace sockgate::testing {

class TunnelProxy {
 public:
  TunnelProxy();
  ~TunnelProxy();
  TunnelProxy(const TunnelProxy&) = delete;
  TunnelProxy& operator=(const TunnelProxy&) = delete;

  uint16_t port() const { return port_; }

 private:
  void Run();
  void Serve(int client) const;
  // Copies in both directions until one side has ended, or the proxy has.
  void Relay(int client, int server) const;
  // Whether `fd` became readable before the proxy's end.
  bool Await(int fd) const;

  const UniqueFd stop_;
  UniqueFd listener_;
  uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_TUNNEL_PROXY_H_
