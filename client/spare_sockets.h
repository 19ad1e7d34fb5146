// SpareSockets: the sockets that were asked for ahead of need, from the moment they are wanted until
// a call takes them or they are closed.
//
// Process: worker, confined. Owns the sockets that have come.
// Threads: one at a time; AskedAhead has the lock. Never blocks.
// Memory: kMost spares, whose slots are used again, so that nothing is allocated once all of them
// have been in use.
// Hostile input: the server at a socket's other end. It may send something, close or reset before
// the socket is used: what has an end already is not handed out.

#ifndef SOCKGATE_CLIENT_SPARE_SOCKETS_H_
#define SOCKGATE_CLIENT_SPARE_SOCKETS_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"
#include "client/answer.h"
#include "proto/messages.h"

namespace sockgate {

// Where a socket will be wanted. With a name the endpoint is its port alone.
struct AheadTarget {
  ConnectRequest request;
  absl::string_view name;
  NameFamily family = NameFamily::kAny;
};

struct AheadCounts {
  uint64_t asked = 0;    // sockets that were wanted ahead
  uint64_t used = 0;     // of those: a call took it
  uint64_t expired = 0;  // nobody wanted it in time, so it was closed
  uint64_t closed =
      0;  // it was closed for another reason: its peer had gone, the broker, the client
  uint64_t missed = 0;  // it never came: refused, failed, over a limit. Whoever needs it asks anew
};

struct Spare {
  enum class Stage : uint8_t {
    kNone,    // the slot is free
    kNamed,   // the address is still to come
    kQueued,  // to be sent
    kSent,    // waits for the reply
    kHere,    // with the reply, and in general a socket
    kLost,    // the reply will not come, and a call waits for it
  };

  Stage stage = Stage::kNone;
  bool awaited = false;                         // by a call
  uint32_t id = 0;                              // of the request, once sent
  uint64_t ticket = 0;                          // of who wanted it; 0: it is there for anybody
  uint64_t order = 0;                           // counts upwards
  std::chrono::steady_clock::time_point since;  // when the stage began
  ConnectRequest request;
  std::string name;
  NameFamily family = NameFamily::kAny;
  ConnectResult result;
};

class SpareSockets {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Stage = Spare::Stage;

  static constexpr size_t kMost = 128;
  static constexpr std::chrono::seconds kUnwantedFor{30};

  SpareSockets() = default;
  ~SpareSockets() { CloseAll(); }
  SpareSockets(const SpareSockets&) = delete;
  SpareSockets& operator=(const SpareSockets&) = delete;

  // In stage kNamed or kQueued. Null: there are kMost.
  Spare* Add(const AheadTarget& target, TimePoint now);
  // One for this target has grown too old of late: its transfers have connections of their own.
  bool IsUnwanted(const AheadTarget& target, TimePoint now) const;
  // Counts one that was wanted and not even added.
  void Refuse();

  void SetStage(Spare* spare, Stage stage, TimePoint now);
  size_t Count(Stage stage) const { return by_stage_[static_cast<size_t>(stage)]; }

  // The oldest of this stage that fits the request and that no call awaits. The address, the kind of
  // socket and the mode must be the same, and a handshake that goes on must have no later deadline.
  Spare* Find(const ConnectRequest& request, Stage stage);
  // The oldest of this stage.
  Spare* Oldest(Stage stage);
  Spare* Sent(uint32_t id);
  // The oldest one for this target that is there for anybody.
  Spare* Unclaimed(const AheadTarget& target);
  size_t CountUnclaimed(const AheadTarget& target) const;
  // With this ticket, which is not 0.
  Spare* WithTicket(uint64_t ticket);

  void Use(Spare* spare, ConnectResult* result);
  // The socket of a spare that is here has not been closed or reset by its peer, as far as one
  // poll(2) shows.
  static bool IsAlive(const Spare& spare);
  // Closes one that is here and of no use.
  void Discard(Spare* spare);
  // It came to nothing; where a call awaits it, the call is to find out.
  void Miss(Spare* spare);
  // The slot is free.
  void Remove(Spare* spare);

  // Closes and gives up what has been in its stage for longer than that, but for what has been sent.
  void Expire(TimePoint now, std::chrono::milliseconds most_age);
  // All that are here and that no call takes at this moment.
  void CloseHere();
  // Gives up the others too.
  void CloseAll();
  // Forgets all in a child of fork(2), where shutdown(2) would end the parent's connections.
  void Disown();

  template <typename Function>
  void ForEach(Stage stage, const Function& function) {
    if (Count(stage) == 0) return;
    for (Spare& spare : slots_) {
      if (spare.stage == stage) function(&spare);
    }
  }

  const AheadCounts& counts() const { return counts_; }

 private:
  // What is left of one that has grown too old.
  struct Unwanted {
    ConnectRequest request;
    std::string name;
    NameFamily family = NameFamily::kAny;
    TimePoint until;
  };

  template <typename Known>
  static bool IsFor(const Known& known, const AheadTarget& target);
  void NoteUnwanted(const Spare& spare, TimePoint now);
  void Close(Spare* spare);

  std::deque<Spare> slots_;  // of which pointers stay good
  std::array<Unwanted, 16> unwanted_;
  size_t next_unwanted_ = 0;
  std::array<size_t, 6> by_stage_ = {};
  uint64_t last_order_ = 0;
  AheadCounts counts_;
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_SPARE_SOCKETS_H_
