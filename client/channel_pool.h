// ChannelPool: the channels of one worker. One mints others; each of those serves one call at a
// time.
//
// Process: worker, confined. Owns the channels that are not lent. Once the one that mints has ended,
// so has the pool: nothing more is lent, and what comes back is closed.
// Threads: any. Blocks for one local round trip where a channel is minted, and as long as the
// caller says where the broker gives no more of them.

#ifndef SOCKGATE_CLIENT_CHANNEL_POOL_H_
#define SOCKGATE_CLIENT_CHANNEL_POOL_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "client/channel.h"
#include "client/connect_error.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate {

class ChannelPool {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // How long the broker may take for what needs no network.
  static constexpr std::chrono::milliseconds kPatience{2000};

  explicit ChannelPool(UniqueFd first) : first_(std::move(first)) {}

  // A channel for one call: an idle one, or one that is minted for it. Over the role's limit it
  // waits for one that another call gives back. Null: `error` says why.
  std::unique_ptr<Channel> Take(TimePoint give_up, ConnectError* error);

  // `kind` is how the call ended: a channel that is of no more use is closed. So is one that is owed
  // an answer still, for the broker then gives up what nobody waits for, and a socket that it
  // sends all the same is not kept from closing by lying there unread.
  void GiveBack(std::unique_ptr<Channel> channel, ConnectError::Kind kind);

  // Whether calls wait in Take() for a channel that comes back.
  bool wanted();

  // Makes a call that the broker answers at once on the channel that mints. No call that waits for
  // the network is ever made there, so this one does not wait for those.
  ConnectError::Kind CallFirst(const decltype(Request::body)& body, Reply* reply,
                               UniqueFd* descriptor);

  // kBrokerGone or kBadReply once the channel that mints has ended so; until then kNone.
  ConnectError::Kind ended() const { return ended_.load(std::memory_order_acquire); }

 private:
  std::unique_ptr<Channel> Mint(ConnectError* error);
  ConnectError::Kind CallFirstLocked(const decltype(Request::body)& body, Reply* reply,
                                     UniqueFd* descriptor);
  void End(ConnectError::Kind kind);

  std::mutex first_mutex_;
  Channel first_;  // guarded by first_mutex_
  std::atomic<ConnectError::Kind> ended_ = ConnectError::Kind::kNone;

  // May be taken while first_mutex_ is held; never the other way round.
  std::mutex mutex_;
  std::condition_variable given_back_;
  std::vector<std::unique_ptr<Channel>> idle_;
  size_t lent_ = 0;
  size_t waiting_ = 0;
  // What the broker said when it gave no more. Asking again would only cost it a line in its log,
  // until a call ends that nobody waits for.
  std::optional<ConnectError> full_;
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_CHANNEL_POOL_H_
