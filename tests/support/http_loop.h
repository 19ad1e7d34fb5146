// HttpLoop: the event loop of the loopback server: one listener, many connections, timers.
//
// Process: whichever embeds the server. Ownership: owns the listener and the connections; borrows
// the counters. Threads: Run() is the loop; Wake() may be called from any thread, all else from
// one. Clients are hostile; see http_connection.h. Where descriptors run out, or `max_connections`
// are open, newcomers wait in the listener's queue.

#ifndef SOCKGATE_TESTS_SUPPORT_HTTP_LOOP_H_
#define SOCKGATE_TESTS_SUPPORT_HTTP_LOOP_H_

#include <absl/status/status.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "proto/unique_fd.h"
#include "tests/support/byte_stream.h"
#include "tests/support/http_connection.h"

namespace sockgate::testing {

struct HttpCounters {
  std::atomic<uint64_t> connections_accepted{0};
  std::atomic<uint64_t> connections_open{0};
  std::atomic<uint64_t> requests_served{0};
};

class HttpLoop {
 public:
  // Turns an accepted socket into a stream; null drops the connection.
  using StreamFactory = std::function<std::unique_ptr<ByteStream>(UniqueFd socket)>;

  HttpLoop(UniqueFd listener, size_t max_connections, StreamFactory make_stream,
           HttpCounters* counters);
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  // Makes the descriptors that the loop needs. Once, before Run() and Wake().
  absl::Status Open();

  // Serves until Wake(), then closes every connection and the listener.
  void Run();

  void Wake();

 private:
  using Clock = HttpConnection::Clock;
  using Id = uint64_t;

  struct Client {
    int fd;  // owned by the connection's stream
    HttpConnection connection;
    uint32_t armed_events;
    std::optional<Clock::time_point> armed_wake;
  };
  using Clients = std::unordered_map<Id, Client>;

  int PollTimeout() const;
  void Accept();
  bool AcceptOne();
  void PauseAccepting();
  void ResumeAccepting();
  void AdvanceClient(Id id, uint32_t events);
  void RunTimers();
  void Settle(Clients::iterator client);
  void Remove(Clients::iterator client);
  bool Watch(int operation, int fd, Id id, uint32_t events);

  UniqueFd listener_;
  const size_t max_connections_;
  StreamFactory make_stream_;
  HttpCounters* counters_;
  UniqueFd epoll_;
  UniqueFd wake_;
  Id next_id_;
  Clients clients_;
  std::set<std::pair<Clock::time_point, Id>> timers_;
  std::optional<Clock::time_point> accept_again_at_;
  Clock::time_point now_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_HTTP_LOOP_H_
