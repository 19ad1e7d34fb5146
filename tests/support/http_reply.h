// HttpReply: an answer as the routes describe it, and how its head looks on the wire.
//
// Process and threads: any; plain data and a pure function.

#ifndef SOCKGATE_TESTS_SUPPORT_HTTP_REPLY_H_
#define SOCKGATE_TESTS_SUPPORT_HTTP_REPLY_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/http_request.h"

namespace sockgate::testing {

struct HttpReply {
  int status = 200;
  std::vector<HttpHeader> headers;  // besides Content-Length and Connection, which are derived
  std::string body;
  uint64_t pattern_bytes = 0;          // this much of the byte pattern follows the body
  std::chrono::milliseconds delay{0};  // to wait before the first byte
  bool hang_up = false;                // close instead of answering

  static HttpReply Text(int status, std::string body);
};

// Status line and headers, up to and with the empty line.
std::string SerializeHead(const HttpReply& reply, bool keep_alive);

// False for the statuses that never carry a body (1xx, 204, 304).
bool StatusHasBody(int status);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_HTTP_REPLY_H_
