// LookupsAhead: the names whose addresses were asked for ahead of need, and those addresses for a
// short while.
//
// Process: worker, confined.
// Threads: one at a time; AskedAhead has the lock. Never blocks.
// Memory: kMost names, the oldest answer forgotten first.
// It is no cache of names: an answer is good for as long as the DNS says and at most for as long as
// a spare socket is, so it serves the transfers that it was asked for.

#ifndef SOCKGATE_CLIENT_LOOKUPS_AHEAD_H_
#define SOCKGATE_CLIENT_LOOKUPS_AHEAD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "client/answer.h"
#include "proto/ip_address.h"
#include "proto/messages.h"

namespace sockgate {

struct LookupAhead {
  enum class Stage : uint8_t {
    kNone,    // the slot is free
    kQueued,  // to be sent
    kSent,    // waits for the reply
    kHere,    // with the reply
    kLost,    // the reply will not come, and calls wait for it
  };

  Stage stage = Stage::kNone;
  uint32_t awaited = 0;  // by so many calls
  uint32_t id = 0;
  std::chrono::steady_clock::time_point since;
  std::string name;
  NameFamily family = NameFamily::kAny;
  ResolveResult result;
};

class LookupsAhead {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Stage = LookupAhead::Stage;

  static constexpr size_t kMost = 64;

  // Queued. Null: so many are asked for already.
  LookupAhead* Add(absl::string_view name, NameFamily family, TimePoint now);

  // For names as the DNS compares them.
  LookupAhead* Find(absl::string_view name, NameFamily family);
  LookupAhead* Queued();
  LookupAhead* Sent(uint32_t id);

  // It came to nothing; calls that await it are to find out.
  static void Miss(LookupAhead* lookup);
  // Forgets the answers that are too old.
  void Expire(TimePoint now, std::chrono::milliseconds most_age);
  void MissSent();
  void MissAll();

 private:
  std::deque<LookupAhead> slots_;  // of which pointers stay good
};

// The address that libcurl will try first.
std::optional<IpAddress> FirstToTry(const ResolveResult& result);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_LOOKUPS_AHEAD_H_
