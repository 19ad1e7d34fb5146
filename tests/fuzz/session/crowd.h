// Crowd: all workers of a run and their channels.

#ifndef SOCKGATE_TESTS_FUZZ_SESSION_CROWD_H_
#define SOCKGATE_TESTS_FUZZ_SESSION_CROWD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "tests/fuzz/session/fuzz_channel.h"
#include "tests/fuzz/session/session_world.h"

namespace sockgate::fuzz {

class Crowd {
 public:
  explicit Crowd(SessionWorld* world) : world_(world) {}

  // Up to a bound, beyond which nobody comes any more.
  void AddWorker();
  // The worker ends, and with it all its channels.
  void EndWorker(size_t worker);

  // Null when there is none at all.
  FuzzChannel* Pick(uint8_t number);
  // The first healthy one; null when there is none.
  FuzzChannel* Healthy();
  std::deque<FuzzChannel>& channels() { return channels_; }
  size_t OpenChannelsOf(size_t worker) const;

  bool Read(FuzzChannel* channel);
  // Everything that is there. Returns how much that was.
  size_t ReadAll();

  // Time passes, for the broker too.
  void Advance(std::chrono::milliseconds by);

 private:
  SessionWorld* const world_;
  size_t workers_ = 0;
  std::deque<FuzzChannel> channels_;
};

}  // namespace sockgate::fuzz

#endif  // SOCKGATE_TESTS_FUZZ_SESSION_CROWD_H_
