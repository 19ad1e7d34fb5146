// What the control socket says of one role. CONTROL.md says what it means.
//
// Process: broker, the control thread. Pure.

#ifndef SOCKGATE_BROKER_CONTROL_ROLE_JSON_H_
#define SOCKGATE_BROKER_CONTROL_ROLE_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

#include "broker/broker_status.h"

namespace sockgate {

// Of its denials no more than the kMostDenials with the highest counts.
inline constexpr size_t kMostDenials = 32;
nlohmann::ordered_json RoleJson(const std::string& name, const BrokerStatus::Role& role);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONTROL_ROLE_JSON_H_
