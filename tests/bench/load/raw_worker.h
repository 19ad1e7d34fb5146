// RawWorker: a worker's end of one channel with nothing in between: it sends what it is told when
// it is told, and reads when it is told.
//
// For workers that do what the client library never would: ask for much at once, break the
// protocol, not read. Blocking, with a bound of kPatience to each wait. Errors are false, or no
// worker; nothing here ends the program.

#ifndef SOCKGATE_TESTS_BENCH_LOAD_RAW_WORKER_H_
#define SOCKGATE_TESTS_BENCH_LOAD_RAW_WORKER_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/types/span.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate::bench {

class RawWorker {
 public:
  using Body = decltype(Request::body);

  static constexpr std::chrono::seconds kPatience{30};

  // Connects to a broker's path and says hello.
  static std::optional<RawWorker> FromPath(const std::string& path);

  // One more channel of the same worker. For a channel on which nothing else waits.
  std::optional<RawWorker> Mint();

  // The next request. Waits for room.
  bool Send(const Body& body);
  bool SendBytes(absl::Span<const uint8_t> bytes);

  struct Answer {
    uint32_t id = 0;
    Result result;  // zeroed for hello
    UniqueFd descriptor;
  };
  // The next reply; nothing: the channel has ended, or none came in time.
  std::optional<Answer> Receive();

  int descriptor() const { return channel_.get(); }
  uint32_t last_id() const { return last_id_; }

 private:
  explicit RawWorker(UniqueFd channel) : channel_(std::move(channel)) {}

  UniqueFd channel_;
  uint32_t last_id_ = 0;
};

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_LOAD_RAW_WORKER_H_
