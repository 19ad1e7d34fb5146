#include "tool/control_client.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "broker/control/control_limits.h"
#include "broker/policy/finding_text.h"
#include "proto/endpoint.h"
#include "proto/packet_socket.h"
#include "proto/unique_fd.h"

namespace sockgate {
namespace {

// A policy of a hundred thousand rules takes its time.
constexpr timeval kPatience = {120, 0};

absl::StatusOr<UniqueFd> Connect(const std::string& path) {
  const auto endpoint = Endpoint::Unix(path);
  if (!endpoint.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' cannot be a socket's path"));
  }
  sockaddr_storage address;
  const socklen_t length = endpoint->ToSockaddr(&address);
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return absl::ErrnoToStatus(errno, "socket");
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("no broker at ", path));
  }
  return socket;
}

absl::Status WhyNoAnswer(PacketStatus status, int error) {
  switch (status) {
    case PacketStatus::kWouldBlock:
      return absl::DeadlineExceededError("the broker does not answer");
    case PacketStatus::kClosed:
      return absl::UnavailableError(
          "the broker hung up without an answer: it stops, or this is neither root nor its user");
    case PacketStatus::kTruncated:
      return absl::InternalError("the broker's answer is too long");
    default:
      return absl::ErrnoToStatus(error, "cannot ask the broker");
  }
}

absl::StatusOr<std::string> Exchange(int socket, absl::string_view word) {
  const Sent sent = SendPacket(socket, {reinterpret_cast<const uint8_t*>(word.data()), word.size()},
                               -1, Wait::kYes);
  if (sent.status != PacketStatus::kOk) return WhyNoAnswer(sent.status, sent.error);
  std::vector<uint8_t> reply(kMaxControlReplyBytes);
  const Received received =
      ReceivePacket(socket, absl::MakeSpan(reply), Accept::kNoDescriptor, Wait::kYes);
  if (received.status != PacketStatus::kOk) return WhyNoAnswer(received.status, received.error);
  return std::string(reply.begin(), reply.begin() + static_cast<std::ptrdiff_t>(received.size));
}

}  // namespace

absl::StatusOr<nlohmann::json> AskBroker(const std::string& path, absl::string_view word) {
  const auto socket = Connect(path);
  if (!socket.ok()) return socket.status();
  const auto text = Exchange(socket->get(), word);
  if (!text.ok()) return text.status();
  nlohmann::json reply = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!reply.is_object()) return absl::InternalError("the broker's answer is not JSON");
  const auto error = reply.find("error");
  if (error == reply.end()) return reply;
  return absl::FailedPreconditionError(error->is_string() ? error->get_ref<const std::string&>()
                                                          : "the broker refuses");
}

std::vector<std::string> FindingLines(const std::string& file, const nlohmann::json& findings) {
  std::vector<std::string> lines;
  for (const nlohmann::json& json : findings) {
    Finding finding;
    finding.severity =
        json.at("severity") == "error" ? Finding::Severity::kError : Finding::Severity::kWarning;
    finding.line = json.at("line");
    finding.column = json.at("column");
    finding.message = json.at("message");
    finding.advice = json.at("advice");
    lines.push_back(FindingText(file, finding));
  }
  return lines;
}

}  // namespace sockgate
