// ReadStatus: from a broker's reply to `status` to what it says.
//
// Process: the operator's command. Pure.
// Hostile input: the reply, as far as it is JSON. What an older broker does not say is absent, and
// so is what makes no sense; what a newer one says beside it is passed over. A reply without its
// policy or its roles is refused.

#ifndef SOCKGATE_TOOL_STATUS_READER_H_
#define SOCKGATE_TOOL_STATUS_READER_H_

#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "tool/broker_reading.h"

namespace sockgate {

absl::StatusOr<BrokerReading> ReadStatus(const nlohmann::json& reply);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_STATUS_READER_H_
