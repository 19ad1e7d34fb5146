// The results of requests that get nothing.
//
// Process: broker. Pure.

#ifndef SOCKGATE_BROKER_REFUSAL_H_
#define SOCKGATE_BROKER_REFUSAL_H_

#include <cerrno>
#include <cstdint>

#include "broker/policy/verdict.h"
#include "proto/messages.h"

namespace sockgate {

// What a worker over a limit is told to wait, unless more is known.
inline constexpr uint32_t kRetryAfterMs = 100;

inline Result Limited(Reason reason, uint32_t retry_after_ms) {
  Result result;
  result.outcome = Outcome::kLimited;
  result.reason = reason;
  result.retry_after_ms = retry_after_ms;
  return result;
}

inline Result BadRequest(Reason reason) {
  Result result;
  result.outcome = Outcome::kBadRequest;
  result.reason = reason;
  return result;
}

inline Result Denied(const Verdict& verdict) {
  Result result;
  result.outcome = Outcome::kDenied;
  result.reason = verdict.reason;
  result.rule = verdict.rule;
  return result;
}

// The broker has no time to look at the worker. Not denied, since it may well be confined.
inline Result NotNow(uint32_t retry_after_ms) { return Limited(Reason::kRate, retry_after_ms); }

// What is said of a worker that has not shown all that its role asks of it.
inline Verdict NotConfined() { return {Decision::kDeny, 0, 0, Reason::kNotConfined}; }

// For an errno other than 0. That the broker has no descriptor left is its own trouble, not the
// network's, and passes.
inline Result Failed(int error, uint32_t retry_after_ms) {
  if (error == EMFILE || error == ENFILE) return Limited(Reason::kDescriptors, retry_after_ms);
  Result result;
  result.outcome = Outcome::kFailed;
  result.error = static_cast<uint32_t>(error);
  return result;
}

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_REFUSAL_H_
