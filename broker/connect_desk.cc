#include "broker/connect_desk.h"

#include "broker/event_loop.h"
#include "broker/refusal.h"
#include "broker/worker_record.h"

namespace sockgate {
namespace {

Result Ended(const Attempt& attempt, Progress progress, int error) {
  Result result;
  if (progress == Progress::kFailed && error != 0) {
    result = Failed(error, kRetryAfterMs);
  } else {
    result.outcome = progress == Progress::kConnected ? Outcome::kConnected : Outcome::kStarted;
  }
  result.rule = attempt.rule;
  return result;
}

}  // namespace

void RecordCompletion(const Attempt& attempt, const Result& result, AuditLog* audit) {
  const TimePoint now = EventLoop::Now();
  RoleMetrics* metrics = attempt.worker->metrics;
  metrics->Ended(result, &metrics->connects);
  if (result.outcome == Outcome::kConnected) {
    metrics->connect_times.Count(
        std::chrono::duration_cast<std::chrono::microseconds>(now - attempt.begun));
  }
  audit->Completion(attempt, result, now);
}

void ConnectDesk::Begin(Attempt attempt, Reason limit, ConnectAnswerer* to) {
  const Endpoint& endpoint = attempt.request.endpoint;
  ++attempt.worker->metrics->connects.asked;
  if (limit != Reason::kNone) {
    Refuse(attempt, Limited(limit, kRetryAfterMs), to);
  } else if (endpoint.is_ip() && endpoint.port() == 0) {
    Refuse(attempt, BadRequest(Reason::kPortZero), to);
  } else {
    Decide(std::move(attempt), to);
  }
}

void ConnectDesk::Decide(Attempt attempt, ConnectAnswerer* to) {
  const Confined confined = attempt.worker->ShowsConfinement(attempt.begun, looks_);
  if (confined == Confined::kNotNow) {
    Refuse(attempt, NotNow(kRetryAfterMs), to);
    return;
  }
  const Judgement judgement =
      confined == Confined::kYes ? Judge(attempt) : Judgement{NotConfined(), {}};
  attempt.rule = judgement.verdict.rule;
  if (judgement.verdict.lets_through()) {
    LetThrough(attempt, judgement, to);
  } else {
    to->OnConnectAnswer(attempt, Denied(judgement.verdict), -1);
    Log(attempt, judgement);
  }
}

ConnectDesk::Judgement ConnectDesk::Judge(const Attempt& attempt) const {
  const Endpoint& endpoint = attempt.request.endpoint;
  Judgement judgement;
  if (endpoint.is_ip()) judgement.names = attempt.worker->names.Find(endpoint.ip(), attempt.begun);
  judgement.verdict =
      attempt.worker->role->policy.Decide(endpoint, attempt.request.transport, judgement.names);
  return judgement;
}

void ConnectDesk::LetThrough(const Attempt& attempt, const Judgement& judgement,
                             ConnectAnswerer* to) {
  WorkerRecord* worker = attempt.worker;
  const Limits& limits = worker->role->limits;
  Reason limit = Reason::kRate;
  uint32_t wait_ms =
      worker->rate.Take(limits.connects_per_second, limits.connect_burst, attempt.begun);
  if (wait_ms == 0) {
    limit = Reason::kRoleLimit;
    wait_ms = worker->usage->TakeConnect(worker->role->totals, attempt.begun);
  }
  if (wait_ms == 0) {
    Connect(attempt, judgement, to);
    return;
  }
  Result result = Limited(limit, wait_ms);
  result.rule = judgement.verdict.rule;
  to->OnConnectAnswer(attempt, result, -1);
  Log(attempt, judgement);
  Complete(attempt, result);
}

// Whatever can be answered now is answered before the audit lines are made.
void ConnectDesk::Connect(const Attempt& attempt, const Judgement& judgement, ConnectAnswerer* to) {
  const Started started = connector_->Start(attempt, attempt.worker->role->socket_options);
  const bool pending = started.progress == Progress::kPending;
  Result result;
  if (!pending) {
    result = Ended(attempt, started.progress, started.error);
    to->OnConnectAnswer(attempt, result, started.socket.get());
  } else if (attempt.request.mode == ConnectMode::kInProgress) {
    to->OnConnectAnswer(attempt, Ended(attempt, started.progress, 0), started.lent);
  }
  Log(attempt, judgement);
  if (!pending) Complete(attempt, result);
}

void ConnectDesk::End(const Attempt& attempt, Progress progress, int error, const UniqueFd& socket,
                      ConnectAnswerer* to) {
  const Result result = Ended(attempt, progress, error);
  to->OnConnectAnswer(attempt, result, socket.get());
  Complete(attempt, result);
}

void ConnectDesk::Refuse(const Attempt& attempt, const Result& result, ConnectAnswerer* to) {
  to->OnConnectAnswer(attempt, result, -1);
  Complete(attempt, result);
}

void ConnectDesk::Log(const Attempt& attempt, const Judgement& judgement) {
  RoleMetrics* metrics = attempt.worker->metrics;
  metrics->Judged(judgement.verdict, &metrics->connects);
  audit_->Decision(attempt, judgement.verdict, judgement.names);
}

void ConnectDesk::Complete(const Attempt& attempt, Result result) {
  // To the worker an in-progress attempt that has failed already is one that started; the error is
  // in its socket.
  if (result.outcome == Outcome::kStarted) result.outcome = Outcome::kFailed;
  RecordCompletion(attempt, result, audit_);
}

}  // namespace sockgate
