// AskedAhead: what a client has asked the broker for ahead of need: names, and sockets to where they
// lead.
//
// How: all requests go over one channel, without waiting, and replies are taken as they come. What
// follows from a reply (the connect after a lookup) is sent by whichever call comes next; there is
// no thread. While nothing is asked for the channel is the pool's again.
//
// Process: worker, confined. Owns the sockets that have come and are not used yet.
// Threads: any, under one lock, which nobody holds while waiting. Of several that wait one reads for
// all.
// Blocking: Take() and TakeLookup() wait for a reply that is under way, as the call at need would.
// The others never wait for a network; where the pool has no channel one is minted, one local round
// trip.
// Cost: one send(2) and one recvmsg(2) a request; to hand out a socket that has come one poll(2) and
// nothing allocated.
// Failure: none. Whatever goes wrong ahead of need is forgotten, and the call at need finds out for
// itself; it is told the error only of an attempt that it waited for.
// Hostile input: none should come from a broker; see Channel.

#ifndef SOCKGATE_CLIENT_ASKED_AHEAD_H_
#define SOCKGATE_CLIENT_ASKED_AHEAD_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "absl/strings/string_view.h"
#include "client/answer.h"
#include "client/broker_link.h"
#include "client/channel.h"
#include "client/lookups_ahead.h"
#include "client/name_memory.h"
#include "client/spare_sockets.h"
#include "proto/messages.h"

namespace sockgate {

class AskedAhead {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds kMostAge{4000};

  // So many replies of any kind fit the broker's buffer for a channel (kUnreadReplyBytes), so that
  // nobody has to read them in time. Others would wait in the broker, which takes a worker that
  // leaves them there for one that has stopped reading.
  static constexpr uint32_t kMostOwed = 7;

  // Both must outlive this.
  AskedAhead(BrokerLink* link, NameMemory* names) : link_(link), names_(names) {}

  // Asks for a socket, unless there is one for this target that nobody has a ticket for, or the last
  // one was not wanted. The ticket of the one that it is; 0 where there is none.
  uint64_t Add(const AheadTarget& target);
  // Nobody waits for the socket of this ticket any more: the next one may have it.
  void Release(uint64_t ticket);
  // Asks until there are so many that nobody has a ticket for. Returns how many there are.
  size_t Keep(const AheadTarget& target, size_t count);

  // A socket for this request that was asked for ahead, or why there is none. False: ask for it.
  bool Take(const ConnectRequest& request, ConnectResult* result);
  // The same for a name.
  bool TakeLookup(absl::string_view name, NameFamily family, ResolveResult* result);
  // The broker has been asked for this name, and its answer is here.
  bool HasLookedUp(absl::string_view name);

  // Takes the replies that have come and sends what follows from them. Does not wait.
  void Progress();

  // For a call at need that finds no channel: the one that is used here, and all that was asked for
  // on it is given up. Null: it is not of this contact, or a call waits for it.
  std::unique_ptr<Channel> GiveUpChannel(const BrokerContact& contact);

  void set_most_age(std::chrono::milliseconds age);
  AheadCounts counts() const;

  // In a child of fork(2), before this goes.
  void Disown() { spares_.Disown(); }

 private:
  using Kind = ConnectError::Kind;
  using Lock = std::unique_lock<std::mutex>;
  using Stage = Spare::Stage;

  void Refresh(TimePoint now);
  Spare* Want(const AheadTarget& target, TimePoint now);
  bool FindAddress(Spare* spare, TimePoint now);
  bool Aim(Spare* spare, const ResolveResult& found, TimePoint now);

  bool TakeHere(const ConnectRequest& request, ConnectResult* result);
  bool TakeSent(Lock* lock, const ConnectRequest& request, ConnectResult* result);
  bool HandOver(Spare* spare, ConnectResult* result);

  // Where replies are read.
  template <typename Done>
  void Await(Lock* lock, TimePoint give_up, const Done& done);
  Kind Read(Lock* lock, Wait wait);
  void Drain(Lock* lock);
  void Dispatch(Kind kind, const Reply& reply, UniqueFd descriptor);
  void OnConnect(Spare* spare, Kind kind, const Reply& reply, UniqueFd socket);
  void OnLookup(LookupAhead* lookup, Kind kind, const Reply& reply);

  // Where requests are sent.
  bool OpenLine(Lock* lock);
  void SendQueued(Lock* lock);
  bool SendOne();
  bool AnyQueued() { return spares_.Count(Stage::kQueued) > 0 || lookups_.Queued() != nullptr; }
  void MissQueued();
  void MissSent();
  void EndLine(Kind kind);
  void ReleaseLine();
  bool MayLeaveLine() const { return line_ != nullptr && !reading_ && awaiting_ == 0; }

  BrokerLink* const link_;
  NameMemory* const names_;
  std::atomic<bool> used_ = false;  // something has been asked for ever

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  SpareSockets spares_;
  LookupsAhead lookups_;
  std::chrono::milliseconds most_age_ = kMostAge;
  uint64_t last_ticket_ = 0;
  // Of the broker that spares and line are of.
  std::shared_ptr<BrokerContact> contact_;
  std::unique_ptr<Channel> line_;  // the channel, while something is asked for
  bool opening_ = false;           // a thread takes it from the pool
  bool reading_ = false;           // a thread is in Channel::Next(): the line stays
  uint32_t awaiting_ = 0;          // calls that wait for a reply
  TimePoint quiet_until_;          // the broker has said that this is too much
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_ASKED_AHEAD_H_
