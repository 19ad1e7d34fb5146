// Fuzzes a server and its sessions with whole histories: workers that come, ask rightly and
// wrongly, do not read and vanish, over a network and a resolver that do what they like, while time
// leaps and the policy changes. What must hold in the end: tests/fuzz/session/ending.h.
//
//   bazel run --config=fuzz //tests/fuzz:session_fuzzer -- -max_total_time=30

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "proto/check.h"
#include "tests/fuzz/session/crowd.h"
#include "tests/fuzz/session/ending.h"
#include "tests/fuzz/session/session_world.h"
#include "tests/fuzz/session/steps.h"
#include "tests/support/clock_shift.h"
#include "tests/support/process_stats.h"

namespace sockgate::fuzz {
namespace {

// Wake-ups between two moves: after a step, so that its packet is read, and the end of a handshake
// seen; in the end, so that a batch of requests is.
constexpr int kPauseOfStep = 1;
constexpr int kPauseOfEnding = 6;

size_t Descriptors() { return testing::OpenFdCount(getpid()).value(); }

void RunOnce(absl::Span<const uint8_t> bytes) {
  SessionWorld world;
  Crowd crowd(&world);
  Steps steps(bytes, &world, &crowd);
  Ending ending(&world, &crowd, Descriptors());
  bool stepping = true;
  int pause = 0;
  world.Run([&] {
    if (pause-- > 0) return true;
    stepping = stepping && steps.Next();
    pause = stepping ? kPauseOfStep : kPauseOfEnding;
    return stepping || ending.Next();
  });
}

}  // namespace
}  // namespace sockgate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool stopped = (sockgate::testing::StopSteadyClock(), true);
  static_cast<void>(stopped);
  const size_t before = sockgate::fuzz::Descriptors();
  sockgate::fuzz::RunOnce(absl::MakeConstSpan(data, size));
  SOCKGATE_CHECK(sockgate::fuzz::Descriptors() == before);
  return 0;
}
