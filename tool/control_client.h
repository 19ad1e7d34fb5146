// ControlClient: asks a running broker, over its control socket (broker/control/CONTROL.md).
//
// Process: the operator's command.
// Blocking: AskBroker() until the broker has answered, at most two minutes; a ControlQuestion never.

#ifndef SOCKGATE_TOOL_CONTROL_CLIENT_H_
#define SOCKGATE_TOOL_CONTROL_CLIENT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/unique_fd.h"

namespace sockgate {

// The broker's reply to one word. Fails when there is no broker at the path, or it says "error".
absl::StatusOr<nlohmann::json> AskBroker(const std::string& path, absl::string_view word);

// A question for whoever has something else to wait for, too.
class ControlQuestion {
 public:
  // Fails when there is no broker at the path, or too many others ask it.
  static absl::StatusOr<ControlQuestion> Ask(const std::string& path, absl::string_view word);

  // Readable when Answer() has one.
  int socket() const { return socket_.get(); }
  absl::StatusOr<nlohmann::json> Answer() const;

 private:
  explicit ControlQuestion(UniqueFd socket) : socket_(std::move(socket)) {}

  UniqueFd socket_;
};

// The findings of a reply, a line of text each, without a line's end.
std::vector<std::string> FindingLines(const std::string& file, const nlohmann::json& findings);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_CONTROL_CLIENT_H_
