// WebSocketEcho: a WebSocket server (RFC 6455) on 127.0.0.1 that sends the first text frame back,
// for one client at a time.
//
// Process: tests. Owns one thread, in which everything happens; the destructor ends it.

#ifndef SOCKGATE_TESTS_SUPPORT_WEBSOCKET_ECHO_H_
#define SOCKGATE_TESTS_SUPPORT_WEBSOCKET_ECHO_H_

#include <cstdint>
#include <thread>

#include "proto/unique_fd.h"

namespace sockgate::testing {

class WebSocketEcho {
 public:
  WebSocketEcho();
  ~WebSocketEcho();
  WebSocketEcho(const WebSocketEcho&) = delete;
  WebSocketEcho& operator=(const WebSocketEcho&) = delete;

  uint16_t port() const { return port_; }

 private:
  void Run();
  // Whether `fd` became readable before the server's end.
  bool Await(int fd) const;

  const UniqueFd stop_;
  UniqueFd listener_;
  uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_WEBSOCKET_ECHO_H_
