// ControlClient: asks a running broker, over its control socket (broker/control/CONTROL.md).
//
// Process: the operator's command. Blocks until the broker has answered, at most two minutes.

#ifndef SOCKGATE_TOOL_CONTROL_CLIENT_H_
#define SOCKGATE_TOOL_CONTROL_CLIENT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sockgate {

// The broker's reply to one word. Fails when there is no broker at the path, or it says "error".
absl::StatusOr<nlohmann::json> AskBroker(const std::string& path, absl::string_view word);

// The findings of a reply, a line of text each, without a line's end.
std::vector<std::string> FindingLines(const std::string& file, const nlohmann::json& findings);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_CONTROL_CLIENT_H_
