#include "broker/revoke_order.h"

#include "broker/worker_record.h"

namespace sockgate {

bool RevokeOrder::Matches(const Attempt& attempt) const {
  if (role.has_value() && attempt.worker->role->name != *role) return false;
  if (worker.has_value() && attempt.worker->id != *worker) return false;
  const Endpoint& target = attempt.request.endpoint;
  return !to.has_value() || (target.is_ip() && to->Contains(target.ip()));
}

}  // namespace sockgate
