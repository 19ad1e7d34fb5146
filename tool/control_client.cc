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
#include "tool/json_field.h"

namespace sockgate {
namespace {

// A policy of a hundred thousand rules takes its time.
constexpr timeval kPatience = {120, 0};

absl::StatusOr<UniqueFd> Connect(const std::string& path, Wait wait) {
  const auto endpoint = Endpoint::Unix(path);
  if (!endpoint.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' cannot be a socket's path"));
  }
  sockaddr_storage address;
  const socklen_t length = endpoint->ToSockaddr(&address);
  const int flags = SOCK_CLOEXEC | (wait == Wait::kNo ? SOCK_NONBLOCK : 0);
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | flags, 0));
  if (!socket.valid()) return absl::ErrnoToStatus(errno, "socket");
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) {
    if (errno == EAGAIN) return absl::DeadlineExceededError("too many others ask the broker");
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

// A connection over which the word has gone.
absl::StatusOr<UniqueFd> Say(const std::string& path, absl::string_view word, Wait wait) {
  auto socket = Connect(path, wait);
  if (!socket.ok()) return socket;
  const Sent sent = SendPacket(
      socket->get(), {reinterpret_cast<const uint8_t*>(word.data()), word.size()}, -1, wait);
  if (sent.status != PacketStatus::kOk) return WhyNoAnswer(sent.status, sent.error);
  return socket;
}

absl::StatusOr<nlohmann::json> Hear(int socket, Wait wait) {
  std::vector<uint8_t> packet(kMaxControlReplyBytes);
  const Received received =
      ReceivePacket(socket, absl::MakeSpan(packet), Accept::kNoDescriptor, wait);
  if (received.status != PacketStatus::kOk) return WhyNoAnswer(received.status, received.error);
  packet.resize(received.size);
  nlohmann::json reply = nlohmann::json::parse(packet, nullptr, /*allow_exceptions=*/false);
  if (!reply.is_object()) return absl::InternalError("the broker's answer is not JSON");
  const auto error = reply.find("error");
  if (error == reply.end()) return reply;
  return absl::FailedPreconditionError(error->is_string() ? error->get_ref<const std::string&>()
                                                          : "the broker refuses");
}

}  // namespace

absl::StatusOr<nlohmann::json> AskBroker(const std::string& path, absl::string_view word) {
  const auto socket = Say(path, word, Wait::kYes);
  if (!socket.ok()) return socket.status();
  return Hear(socket->get(), Wait::kYes);
}

absl::StatusOr<ControlQuestion> ControlQuestion::Ask(const std::string& path,
                                                     absl::string_view word) {
  auto socket = Say(path, word, Wait::kNo);
  if (!socket.ok()) return socket.status();
  return ControlQuestion(*std::move(socket));
}

absl::StatusOr<nlohmann::json> ControlQuestion::Answer() const {
  return Hear(socket_.get(), Wait::kNo);
}

std::vector<std::string> FindingLines(const std::string& file, const nlohmann::json& findings) {
  std::vector<std::string> lines;
  for (const nlohmann::json& json : findings) {
    Finding finding;
    finding.severity =
        json.at("severity") == "error" ? Finding::Severity::kError : Finding::Severity::kWarning;
    finding.line = static_cast<uint32_t>(CountIn(json.at("line")).value_or(0));
    finding.column = static_cast<uint32_t>(CountIn(json.at("column")).value_or(0));
    finding.message = json.at("message");
    finding.advice = json.at("advice");
    lines.push_back(FindingText(file, finding));
  }
  return lines;
}

}  // namespace sockgate
