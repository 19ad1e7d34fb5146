// The results of requests that get nothing.
//
// Process: broker. Pure.

#ifndef SOCKGATE_BROKER_REFUSAL_H_
#define SOCKGATE_BROKER_REFUSAL_H_

#include <cerrno>
#include <cstdint>

#include "proto/messages.h"

namespace sockgate {

inline Result Limited(Reason reason, uint32_t retry_after_ms) {
  Result result;
  result.outcome = Outcome::kLimited;
  result.reason = reason;
  result.retry_after_ms = retry_after_ms;
  return result;
}

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
