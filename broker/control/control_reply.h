// What the control socket answers, as JSON. CONTROL.md says what it means.
//
// Process: broker, the control thread. Pure. Every reply is valid JSON of at most
// kMaxControlReplyBytes: lists are cut to fit, and "cut" then says so.

#ifndef SOCKGATE_BROKER_CONTROL_CONTROL_REPLY_H_
#define SOCKGATE_BROKER_CONTROL_CONTROL_REPLY_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "broker/broker_status.h"
#include "broker/control/reloader.h"

namespace sockgate {

std::string ReloadReply(const std::string& file, const ReloadReport& report);
std::string StatusReply(const std::string& file, const Reloader::State& state,
                        const BrokerStatus& broker);
std::string RevokeReply(size_t ended);
std::string ErrorReply(absl::string_view why);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONTROL_CONTROL_REPLY_H_
