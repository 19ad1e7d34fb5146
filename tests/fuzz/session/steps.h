// Steps: what the fuzzer's bytes make the workers, the network, the resolver, the clock and the
// operator do. Each step is a byte that says what, and as many as that takes.

#ifndef SOCKGATE_TESTS_FUZZ_SESSION_STEPS_H_
#define SOCKGATE_TESTS_FUZZ_SESSION_STEPS_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "tests/fuzz/session/crowd.h"
#include "tests/fuzz/session/session_world.h"

namespace sockgate::fuzz {

class Steps {
 public:
  Steps(absl::Span<const uint8_t> bytes, SessionWorld* world, Crowd* crowd)
      : bytes_(bytes), world_(world), crowd_(crowd) {}

  // False when there is none left, or when there have been enough.
  bool Next();

 private:
  // 0 after the end.
  uint8_t Byte();

  void Act(uint8_t what);
  void ActOn(FuzzChannel* channel, uint8_t what);
  void SendGarbage(FuzzChannel* channel);
  void SendNearlyRight(FuzzChannel* channel);
  void SendMany(FuzzChannel* channel);
  void EndHandshake();
  void OrderNextLine();
  void AnswerQuestion();
  Packet AnyRequest(uint32_t id);
  ConnectRequest AnyConnect();
  ResolveRequest AnyResolve();

  absl::Span<const uint8_t> bytes_;
  SessionWorld* const world_;
  Crowd* const crowd_;
  size_t taken_ = 0;
};

}  // namespace sockgate::fuzz

#endif  // SOCKGATE_TESTS_FUZZ_SESSION_STEPS_H_
