// AuditRotator: has a running broker's audit log go on in the file that has its name now, once
// something has renamed the one of before.
//
// Process: broker, any thread but the loop's.
// Ownership: the broker and the log are lent and must outlive it.
// Blocking: Rotate() as long as opening a file takes, and until the loop comes between two wake-ups;
// nobody's requests wait for it.
// Failure: the log goes on where it was, and the operator is told why.

#ifndef SOCKGATE_BROKER_CONTROL_AUDIT_ROTATOR_H_
#define SOCKGATE_BROKER_CONTROL_AUDIT_ROTATOR_H_

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker/broker.h"
#include "broker/control/operator_log.h"
#include "proto/unique_fd.h"

namespace sockgate {

class AuditRotator {
 public:
  using Opener = std::function<absl::StatusOr<UniqueFd>()>;

  AuditRotator(Broker* broker, Opener open, OperatorLog* log)
      : broker_(broker), open_(std::move(open)), log_(log) {}

  absl::Status Rotate();

 private:
  absl::Status Swap();

  Broker* const broker_;
  const Opener open_;
  OperatorLog* const log_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONTROL_AUDIT_ROTATOR_H_
