// HttpConnection: one client of the loopback server, from its first byte to its last.
//
// Process: whichever embeds the server. Ownership: owns its stream. Threads: the server's one; no
// call blocks. The client is hostile: one that floods, stalls or talks nonsense costs bounded
// memory and a bounded share of the thread. Failure: a broken connection ends up done(), and is
// told nothing more.

#ifndef SOCKGATE_TESTS_SUPPORT_HTTP_CONNECTION_H_
#define SOCKGATE_TESTS_SUPPORT_HTTP_CONNECTION_H_

#include <absl/strings/string_view.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/support/byte_stream.h"
#include "tests/support/http_request.h"

namespace sockgate::testing {

class HttpConnection {
 public:
  using Clock = std::chrono::steady_clock;

  // `requests_served` is raised before the first byte of each answer, and outlives the connection.
  HttpConnection(std::unique_ptr<ByteStream> stream, std::atomic<uint64_t>* requests_served)
      : stream_(std::move(stream)), requests_served_(requests_served) {}

  // Goes on as far as it can. `events` is what epoll reported, 0 when the time of wake_at() has
  // come.
  void Advance(uint32_t events, Clock::time_point now);

  // What to do next: destroy it when done(), else Advance() at these epoll events or at that time.
  bool done() const { return state_ == State::kDone; }
  uint32_t interest() const { return interest_; }
  std::optional<Clock::time_point> wake_at() const { return yielded_ ? yielded_ : deadline_; }

 private:
  enum class State {
    kReading,   // a request is not yet complete
    kDelaying,  // the answer is due at deadline_
    kWriting,   // the answer is on its way
    kDraining,  // all is said; waits for the client to hang up, so that no reset overtakes the
                // answer
    kDone,
  };

  bool Step(Clock::time_point now);
  bool Read(Clock::time_point now);
  bool Delay(Clock::time_point now);
  bool Write(Clock::time_point now);
  bool Drain(Clock::time_point now);
  bool WaitFor(const IoResult& result);
  void Answer(const HttpRequest& request, Clock::time_point now);
  void Refuse(int status);
  void Send(std::string bytes, State then);
  absl::string_view NextOutput() const;
  void Consume(size_t bytes);
  void FinishOutput(Clock::time_point now);

  std::unique_ptr<ByteStream> stream_;
  std::atomic<uint64_t>* requests_served_;
  HttpRequestParser parser_;
  State state_ = State::kReading;
  State after_output_ = State::kReading;
  std::string output_;
  size_t output_sent_ = 0;
  uint64_t pattern_sent_ = 0;
  uint64_t pattern_end_ = 0;
  uint32_t interest_ = 0;
  std::optional<Clock::time_point> deadline_;
  std::optional<Clock::time_point> yielded_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_HTTP_CONNECTION_H_
