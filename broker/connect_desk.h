// ConnectDesk: takes requests to connect, judges them, has the connector connect and, where the
// role asks for it, the tracker track, and sees to it that each has its answer and its audit lines,
// in this order.
//
// Process: broker, the loop's thread. Owns nothing; all that it is given must outlive it. Never
// blocks.
// Hostile input: the requests.

#ifndef SOCKGATE_BROKER_CONNECT_DESK_H_
#define SOCKGATE_BROKER_CONNECT_DESK_H_

#include "broker/audit_log.h"
#include "broker/connection_tracker.h"
#include "broker/connector.h"
#include "broker/look_budget.h"
#include "broker/policy/policy.h"
#include "broker/policy/verdict.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate {

class ConnectAnswerer {
 public:
  // The one answer to a request. `descriptor` is lent, or -1.
  virtual void OnConnectAnswer(const Attempt& attempt, const Result& result, int descriptor) = 0;

 protected:
  ~ConnectAnswerer() = default;
};

class ConnectDesk {
 public:
  ConnectDesk(Connector* connector, ConnectionTracker* tracker, AuditLog* audit, LookBudget* looks)
      : connector_(connector), tracker_(tracker), audit_(audit), looks_(looks) {}

  // Answers within this call, or, in connected mode, by End() or never. `limit` is one that stands
  // in its way, or kNone.
  void Begin(Attempt attempt, Reason limit, ConnectAnswerer* to);

  // An attempt that was not answered has ended.
  void End(Attempt attempt, Progress progress, int error, UniqueFd socket, ConnectAnswerer* to);

  // Likewise one that was: in in-progress mode, or one whose session has ended.
  void EndAnswered(const Attempt& attempt, Progress progress, int error, UniqueFd socket);

  // Whether what was let through once would be let through by the policy of now.
  static bool StillAllows(const Attempt& attempt, TimePoint now);

 private:
  // A verdict and the names under which it was reached, which are lent by the worker's book.
  struct Judgement {
    Verdict verdict;
    Names names;
  };

  void Decide(Attempt attempt, ConnectAnswerer* to);
  Judgement Judge(const Attempt& attempt) const;
  void LetThrough(Attempt attempt, const Judgement& judgement, ConnectAnswerer* to);
  // The limit that stands in the way of what the policy has let through, or kNone.
  static Result OverLimit(const Attempt& attempt);
  void Connect(Attempt attempt, const Judgement& judgement, ConnectAnswerer* to);
  // Answers, and keeps the socket if it is to be tracked.
  Result Settle(const Attempt& attempt, Progress progress, int error, UniqueFd socket,
                ConnectAnswerer* to);
  // Of a request that is not even decided.
  void Refuse(const Attempt& attempt, const Result& result, ConnectAnswerer* to);
  void Log(const Attempt& attempt, const Judgement& judgement);
  void Complete(const Attempt& attempt, Result result);

  Connector* const connector_;
  ConnectionTracker* const tracker_;
  AuditLog* const audit_;
  LookBudget* const looks_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONNECT_DESK_H_
