// ScriptedServer: says what it was told to say, one reply a connection, and notes what it was asked.
//
// Process: the test; a thread, so fork only to execute. Listens on loopback. A reply is sent as it
// stands, and then the connection is closed; after the last one, connections wait for nothing.

#ifndef SOCKGATE_TESTS_TOOL_FETCH_SCRIPTED_SERVER_H_
#define SOCKGATE_TESTS_TOOL_FETCH_SCRIPTED_SERVER_H_

#include <atomic>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "proto/unique_fd.h"

namespace sockgate::testing {

class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> replies);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string authority() const;
  std::string Url() const { return "http://" + authority() + "/page"; }
  // How many replies were sent.
  size_t served() const { return served_; }

 private:
  void Serve(const std::vector<std::string>& replies);

  const UniqueFd listener_;
  const UniqueFd stop_;  // an eventfd
  std::atomic<size_t> served_{0};
  std::thread thread_;
};

// "HTTP/1.1 STATUS\r\n...", with headers that each end in "\r\n".
std::string HttpReplyText(const std::string& status, const std::string& body,
                          const std::string& headers = "");

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_TOOL_FETCH_SCRIPTED_SERVER_H_
