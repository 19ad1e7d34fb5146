// Session: the broker's end of one channel.
//
// Process: broker, the loop's thread. Owned by the server, which deletes it between two wake-ups
// after EndSession().
// Hostile input: every packet. One packet is taken per turn, and in a crowd a worker that
// floods waits behind the others (backlog.h); a packet that breaks the protocol (codec.h, or the table of legal order in
// session.cc) ends the session with an audit line, and so does a packet with descriptors. A worker
// that does not read its replies is not read from until it does: replies wait in the kernel, then
// here, and no more of them than the role's limit. Where it is the broker's user who has too many
// descriptors in flight (unix(7)), it may be another worker's fault: then replies wait for as long as
// it takes, and new requests are refused.

#ifndef SOCKGATE_BROKER_SESSION_H_
#define SOCKGATE_BROKER_SESSION_H_

#include <cstdint>
#include <memory>

#include "broker/audit_log.h"
#include "broker/backlog.h"
#include "broker/broker_usage.h"
#include "broker/connect_desk.h"
#include "broker/connector.h"
#include "broker/event_loop.h"
#include "broker/look_budget.h"
#include "broker/lookup_desk.h"
#include "broker/reply_queue.h"
#include "broker/worker_record.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate {

class Session;

// What a session needs of the server.
class SessionHost {
 public:
  // One more channel for the same worker: fills `worker_end`, or returns a result that says why
  // not.
  virtual Result MintChannel(const std::shared_ptr<WorkerRecord>& worker, UniqueFd* worker_end) = 0;
  // What was begun is finished, and nothing new is begun.
  virtual bool stopping() const = 0;
  // The session is over; it will be deleted, but not before the current wake-up is done.
  virtual void EndSession(Session* session) = 0;

 protected:
  ~SessionHost() = default;
};

// None is owned; all outlive every session.
struct SessionContext {
  EventLoop* loop = nullptr;
  ConnectDesk* connects = nullptr;
  AuditLog* audit = nullptr;
  SessionHost* host = nullptr;
  LookupDesk* lookups = nullptr;  // null: this broker resolves nothing
  LookBudget* looks = nullptr;
  Backlog* backlog = nullptr;
  BrokerUsage* usage = nullptr;
};

class Session final : public EventHandler, public ConnectAnswerer, public Queued {
 public:
  enum class Phase : uint8_t { kGreeting, kOpen, kEnded };

  // `phase` is kGreeting for a worker's first channel, kOpen for a minted one.
  Session(const SessionContext& context, std::shared_ptr<WorkerRecord> worker, uint64_t id,
          UniqueFd channel, Phase phase);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Begins to listen to the worker; an errno if the kernel refuses.
  int Begin();

  // An attempt in connected mode that this session began has ended.
  void OnConnectEnd(const Attempt& attempt, Progress progress, int error, UniqueFd socket);

  // A lookup that this session began has ended.
  void OnLookupEnd(const Lookup& lookup, const LookupEnd& end);

  // Ends the session because the broker stops.
  void Close() { End("closed", "broker stops"); }

  // After its end; invalid if it has been taken.
  UniqueFd TakeChannel() { return std::move(channel_); }

  // Replies that wait because the worker does not read.
  size_t unread() const { return waiting_.size(); }

  uint64_t id() const { return id_; }
  const std::shared_ptr<WorkerRecord>& worker() const { return worker_; }

  void OnEvent(uint64_t cookie, uint32_t epoll_events) override;
  void OnDeadline(uint64_t cookie) override;
  void OnConnectAnswer(const Attempt& attempt, const Result& result, int descriptor) override;
  Turn TakeTurn() override;
  void Leave() override;

 private:
  struct LegalOrder;

  // With `look`: whether another request waits behind it.
  bool ReadOne(bool look);
  void Handle(absl::Span<const uint8_t> packet);
  void OnHello(const Request& request);
  void OnConnect(const Request& request);
  void OnResolve(const Request& request);
  void OnOpenChannel(const Request& request);

  // The limit that stands in the way of one more request, or of a connect, or kNone.
  Reason LimitReached() const;
  Reason ConnectLimitReached() const;
  Reason LookupLimitReached(TimePoint now) const;
  void Send(const Reply& reply, int descriptor);
  void SendWaiting();
  void WaitToSend(bool for_room);
  void WaitInFlight(bool waits);
  bool MayBeRead() const;
  bool HasMore() const;
  void JoinBacklog();
  void EndIfBroken();
  void Violation(absl::string_view detail);
  void End(absl::string_view change, absl::string_view detail);

  const SessionContext context_;
  const std::shared_ptr<WorkerRecord> worker_;
  const uint64_t id_;
  UniqueFd channel_;
  Phase phase_;
  uint32_t last_request_id_ = 0;
  uint16_t outstanding_ = 0;
  // errno of a reply that could not be sent. The session ends for it when the request has its audit
  // lines, not amid them.
  int send_error_ = 0;
  bool waits_in_flight_ = false;
  EventLoop::Id watch_;
  EventLoop::Id retry_;
  EventLoop::Id unread_;
  ReplyQueue waiting_;
  QueuePlace<Queued> place_;  // in the backlog
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_SESSION_H_
