// Roster: the seats of a pool and all that it waits for: streams, the nursery's news, the time.
//
// Process: the launcher.
// Ownership: owns seats, nursery, epoll and timer.
// Threads: one at a time. Wait() blocks; Start() and Kill() for as long as the nursery starts
// another worker.
// Hostile inputs: none. It says that there are bytes of a worker's, and reads none.
// Failure: a Status. Unavailable, also from status() afterwards: the nursery has gone.
//
// Sources: epoll(7), timerfd_create(2).

#ifndef SOCKGATE_CLIENT_LAUNCH_POOL_ROSTER_H_
#define SOCKGATE_CLIENT_LAUNCH_POOL_ROSTER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/launch/pool/nursery.h"
#include "client/launch/pool/seat.h"
#include "client/launch/pool/transfer_book.h"
#include "proto/unique_fd.h"

namespace sockgate::launch {

class Roster {
 public:
  struct Event {
    enum class Kind {
      kStarted,   // its worker serves; `text`: the layers that hold it
      kFailed,    // could not be started: `text`; the seat is empty
      kReadable,  // Receive() has something
      kWritable,  // Flush() can go on
      kEnded,     // its worker has been reaped; the seat is as it was
    };

    Kind kind;
    Seat* seat;
    std::string text;
  };

  static absl::StatusOr<std::unique_ptr<Roster>> Make(size_t seats, Nursery nursery);

  // Has a worker started in an empty seat. It stays empty after an error.
  absl::Status Start(Seat* seat, UniqueFd channel);

  // Sends what can be sent, and waits for the rest.
  void Flush(Seat* seat);

  // Closes the stream. A worker that is well, or has ended, ends then by itself.
  void Close(Seat* seat);

  // Kills the worker of a seat that is closed, unless it has been reaped.
  void Kill(Seat* seat);

  // Waits for the first event, until it is due or so long, and returns what there is. Events of one
  // call may be of a seat that was closed since.
  std::vector<Event> Wait(std::chrono::milliseconds wait);

  // When Wait() is to return at the latest, and descriptor() to be readable; max(): never.
  void SetDue(TimePoint due);

  // Readable when Wait() has something to return.
  int descriptor() const { return epoll_.get(); }

  // Null: no seat has it.
  Seat* Find(uint64_t worker) const;
  // Of those that serve and take orders: the one with the least to do, with fewer transfers than so
  // many, and none that must be alone. Null: there is none.
  Seat* LeastLoaded(size_t fewer_than) const;
  const std::vector<std::unique_ptr<Seat>>& seats() const { return seats_; }
  size_t Count(Seat::State state) const;
  size_t CountKilled() const;  // and not reaped

  const absl::Status& status() const { return status_; }

 private:
  explicit Roster(Nursery nursery) : nursery_(std::move(nursery)) {}

  bool Watch(int operation, int descriptor, uint32_t events, uint64_t tag);
  void TakeStream(uint64_t worker, uint32_t events, std::vector<Event>* taken);
  void TakeNews(std::vector<Event>* taken);

  Nursery nursery_;
  UniqueFd epoll_;
  UniqueFd timer_;
  std::vector<std::unique_ptr<Seat>> seats_;
  uint32_t last_worker_ = 0;
  absl::Status status_;
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_POOL_ROSTER_H_
