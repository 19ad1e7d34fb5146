#include "broker/connect_desk.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

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

bool IsTcp(const ConnectRequest& request) {
  return request.endpoint.is_ip() && request.transport == Transport::kStream;
}

// The name that the rule is about, or else the last one that led there.
std::shared_ptr<const HostName> NameToKeep(const Policy& policy, uint32_t rule, Names names) {
  if (names.empty()) return nullptr;
  const HostName* decisive = policy.FindNamed(rule, names);
  return std::make_shared<const HostName>(decisive == nullptr ? *names.back() : *decisive);
}

// What stands in the way of one more connection, if it is one to be tracked.
Reason WhyNotTracked(const Attempt& attempt) {
  const WorkerRecord& worker = *attempt.worker;
  if (!attempt.tracked) return Reason::kNone;
  if (worker.connections >= worker.role->limits.max_connections) return Reason::kConnections;
  return worker.usage->WhyNoConnection(worker.role->totals);
}

}  // namespace

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
    LetThrough(std::move(attempt), judgement, to);
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

void ConnectDesk::LetThrough(Attempt attempt, const Judgement& judgement, ConnectAnswerer* to) {
  const Role& role = *attempt.worker->role;
  if (role.track && IsTcp(attempt.request)) {
    attempt.tracked = true;
    attempt.name = NameToKeep(role.policy, attempt.rule, judgement.names);
  }
  const Result limited = OverLimit(attempt);
  if (limited.outcome != Outcome::kLimited) {
    Connect(std::move(attempt), judgement, to);
    return;
  }
  to->OnConnectAnswer(attempt, limited, -1);
  Log(attempt, judgement);
  Complete(attempt, limited);
}

Result ConnectDesk::OverLimit(const Attempt& attempt) {
  WorkerRecord* worker = attempt.worker;
  const Limits& limits = worker->role->limits;
  Result result;
  if (const Reason limit = WhyNotTracked(attempt); limit != Reason::kNone) {
    result = Limited(limit, kRetryAfterMs);
  } else if (const uint32_t wait_ms = worker->rate.Take(limits.connects_per_second,
                                                        limits.connect_burst, attempt.begun)) {
    result = Limited(Reason::kRate, wait_ms);
  } else if (const uint32_t role_wait_ms =
                 worker->usage->TakeConnect(worker->role->totals, attempt.begun)) {
    worker->rate.GiveBack();
    result = Limited(Reason::kRoleLimit, role_wait_ms);
  }
  result.rule = attempt.rule;
  return result;
}

// Whatever can be answered now is answered before the audit lines are made.
void ConnectDesk::Connect(Attempt attempt, const Judgement& judgement, ConnectAnswerer* to) {
  Started started = connector_->Start(attempt, attempt.worker->role->socket_options);
  const bool pending = started.progress == Progress::kPending;
  if (started.progress == Progress::kFailed) attempt.tracked = false;
  Result result;
  if (!pending) {
    result = Settle(attempt, started.progress, started.error, std::move(started.socket), to);
  } else if (attempt.request.mode == ConnectMode::kInProgress) {
    to->OnConnectAnswer(attempt, Ended(attempt, started.progress, 0), started.lent);
  }
  Log(attempt, judgement);
  if (!pending) Complete(attempt, result);
}

// Tracked first: the worker must not have what could not be.
Result ConnectDesk::Settle(const Attempt& attempt, Progress progress, int error, UniqueFd socket,
                           ConnectAnswerer* to) {
  int lent = socket.get();
  if (attempt.tracked && progress == Progress::kConnected) {
    error = tracker_->Track(attempt, std::move(socket));
    if (error != 0) {
      progress = Progress::kFailed;
      lent = -1;
    }
  }
  const Result result = Ended(attempt, progress, error);
  to->OnConnectAnswer(attempt, result, lent);
  return result;
}

void ConnectDesk::End(Attempt attempt, Progress progress, int error, UniqueFd socket,
                      ConnectAnswerer* to) {
  // A reload may have taken it back.
  attempt.tracked = attempt.tracked && attempt.worker->role->track;
  Complete(attempt, Settle(attempt, progress, error, std::move(socket), to));
}

void ConnectDesk::EndAnswered(const Attempt& attempt, Progress progress, int error,
                              UniqueFd socket) {
  if (socket.valid() && attempt.worker->role->track) {
    error = tracker_->Track(attempt, std::move(socket));
    if (error != 0) progress = Progress::kFailed;
  }
  Result result;
  result.outcome = progress == Progress::kConnected ? Outcome::kConnected : Outcome::kFailed;
  result.error = static_cast<uint32_t>(error);
  Complete(attempt, result);
}

// By the names that lead there now and by the one that was let through, whose lease may be over: a
// new connection would need another lookup, but nothing speaks against this one.
bool ConnectDesk::StillAllows(const Attempt& attempt, TimePoint now) {
  const Endpoint& endpoint = attempt.request.endpoint;
  const Names live = attempt.worker->names.Find(endpoint.ip(), now);
  std::vector<const HostName*> names(live.begin(), live.end());
  const auto is_it = [&](const HostName* name) { return *name == *attempt.name; };
  if (attempt.name != nullptr && std::none_of(names.begin(), names.end(), is_it)) {
    names.push_back(attempt.name.get());
  }
  const Policy& policy = attempt.worker->role->policy;
  return policy.Decide(endpoint, attempt.request.transport, names).lets_through();
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
  const TimePoint now = EventLoop::Now();
  RoleMetrics* metrics = attempt.worker->metrics;
  metrics->Ended(result, &metrics->connects);
  if (result.outcome == Outcome::kConnected) {
    metrics->connect_times.Count(
        std::chrono::duration_cast<std::chrono::microseconds>(now - attempt.begun));
  }
  audit_->Completion(attempt, result, now);
}

}  // namespace sockgate
