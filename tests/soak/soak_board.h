// SoakBoard: where each worker writes what it asks and what it is told, in memory that its death
// leaves as it is.
//
// A request is written down before it is sent, and its answer after it has come. So the answers
// that a worker had are never more than the log's, and fewer by at most the requests that were
// under way when somebody died: asked() - told().
// Process: made by the test before it forks; every worker has a slot of its own.

#ifndef SOCKGATE_TESTS_SOAK_SOAK_BOARD_H_
#define SOCKGATE_TESTS_SOAK_SOAK_BOARD_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "proto/messages.h"

namespace sockgate::soak {

// What a request was for. Channels are not in the log request by request.
enum class Kind : uint8_t { kConnect, kLookup };
inline constexpr size_t kKinds = 2;

// What became of it, as far as worker and log use the same words: to a worker an in-progress
// connect has only started.
enum class Fate : uint8_t { kLetThrough, kDenied, kLimited, kBadRequest };
inline constexpr size_t kFates = 4;

Fate FateOf(Outcome outcome);
const char* Word(Fate fate);

struct SoakSlot {
  std::array<std::atomic<uint64_t>, kKinds> asked;
  std::array<std::array<std::atomic<uint64_t>, kFates>, kKinds> told;

  void Ask(Kind kind) { ++asked[static_cast<size_t>(kind)]; }
  void Tell(Kind kind, Outcome outcome) {
    ++told[static_cast<size_t>(kind)][static_cast<size_t>(FateOf(outcome))];
  }
};

class SoakBoard {
 public:
  explicit SoakBoard(size_t slots);
  ~SoakBoard();
  SoakBoard(const SoakBoard&) = delete;
  SoakBoard& operator=(const SoakBoard&) = delete;

  SoakSlot* slot(size_t i) { return &slots_[i]; }

  // Of all slots.
  uint64_t asked(Kind kind) const;
  uint64_t told(Kind kind, Fate fate) const;
  uint64_t told(Kind kind) const;

 private:
  const size_t count_;
  SoakSlot* slots_;
};

}  // namespace sockgate::soak

#endif  // SOCKGATE_TESTS_SOAK_SOAK_BOARD_H_
