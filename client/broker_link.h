// BrokerLink: a client's way to the broker that runs now, and from one that has gone to the next.
//
// Process: worker, confined. Owns the channels.
// Threads: any. All share one attempt to connect anew: the others wait for how it ends.
// Blocking: Get() makes or awaits an attempt, which takes some local round trips, of a broker or
// launcher that does not answer 2 * ChannelPool::kPatience. Beyond that it waits as its caller
// allows.
// Hostile input: none should come from a broker. One that says what is not the protocol is not
// tried again before Backoff::kLongest has passed.
//
// When it tries. Nothing happens until somebody needs a channel. The first attempt after a loss is
// made at once, others after a pause that grows (backoff.h). A broker counts as found again once it
// has answered more than the greeting: one that lets workers in and ends at once is not come back
// to any faster than one that is not there.

#ifndef SOCKGATE_CLIENT_BROKER_LINK_H_
#define SOCKGATE_CLIENT_BROKER_LINK_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "client/backoff.h"
#include "client/channel_pool.h"
#include "client/connect_error.h"
#include "client/reconnect_by.h"
#include "proto/unique_fd.h"

namespace sockgate {

// What a client has of one broker: while a call holds it, its channels stay open.
struct BrokerContact {
  BrokerContact(UniqueFd first, uint32_t its_number)
      : channels(std::move(first)), number(its_number) {}

  ChannelPool channels;
  const uint32_t number;         // counts from 1
  uint32_t capabilities = 0;     // what the broker granted
  uint16_t max_outstanding = 1;  // requests that one channel may have without a reply
  std::atomic<bool> answered = false;
};

class BrokerLink {
 public:
  using TimePoint = ChannelPool::TimePoint;

  // How long after a loss calls that may wait do so for the next attempt; later ones are told.
  static constexpr std::chrono::milliseconds kRestartPatience{3000};

  explicit BrokerLink(ReconnectBy reconnect_by);

  // Greets the first broker, on its channel. Once, before all others.
  absl::Status Open(UniqueFd channel);

  // The broker that runs now. Between attempts waits for the next one if that comes by `give_up`
  // and within kRestartPatience. Null: `error` says why, and when another attempt is made.
  std::shared_ptr<BrokerContact> Get(TimePoint give_up, ConnectError* error);

  // The same without an attempt: null where there is none now.
  std::shared_ptr<BrokerContact> Current();

  // The broker has answered a request.
  void NoteAnswer(BrokerContact* contact);

  // For a call whose channel ended: kBrokerGone, with `retry_after_ms` if there will be another.
  ConnectError Gone();

  bool reconnects() const { return reconnects_.load(std::memory_order_relaxed); }

  // Of the broker that was found last.
  uint32_t capabilities() const { return capabilities_.load(std::memory_order_relaxed); }

 private:
  using Lock = std::unique_lock<std::mutex>;

  void NoteLoss();
  bool MayAwaitNext(TimePoint give_up) const;
  void Attempt(Lock* lock);
  std::shared_ptr<BrokerContact> Dial(uint32_t number, ConnectError::Kind* why);
  ConnectError ErrorNow(ConnectError::Kind kind) const;

  ReconnectBy reconnect_by_;  // of the thread that makes the attempt
  std::atomic<bool> reconnects_;
  std::atomic<uint32_t> capabilities_ = 0;

  std::mutex mutex_;
  std::condition_variable attempted_;
  std::shared_ptr<BrokerContact> contact_;
  bool attempting_ = false;
  Backoff backoff_;
  TimePoint next_attempt_ = TimePoint::min();
  // Since when there has been no broker that answers, and for the loss of which contact that was
  // looked at last.
  std::optional<TimePoint> lost_at_;
  uint32_t lost_number_ = 0;
  ConnectError::Kind why_ = ConnectError::Kind::kBrokerGone;
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_BROKER_LINK_H_
