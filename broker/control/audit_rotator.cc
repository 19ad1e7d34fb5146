#include "broker/control/audit_rotator.h"

#include "absl/strings/str_cat.h"

namespace sockgate {

absl::Status AuditRotator::Rotate() {
  absl::Status status = Swap();
  log_->Line(status.ok()
                 ? "sockgate broker: audit log opened anew"
                 : absl::StrCat("sockgate broker: audit log not opened anew: ", status.message(),
                                "; it goes on where it was"));
  return status;
}

absl::Status AuditRotator::Swap() {
  auto fresh = open_();
  if (!fresh.ok()) return fresh.status();
  // Closed here: closing a file may take its time.
  return broker_->SwapAudit(*std::move(fresh)).status();
}

}  // namespace sockgate
