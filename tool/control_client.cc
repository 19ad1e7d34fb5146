#include "tool/control_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "broker/control/control_limits.h"
#include "broker/path_failure.h"
#include "broker/policy/finding_text.h"
#include "proto/endpoint.h"
#include "proto/packet_socket.h"
#include "proto/unique_fd.h"
#include "tool/json_field.h"

namespace sockgate {
namespace {

// A policy of a hundred thousand rules takes its time.
constexpr timeval kPatience = {120, 0};

constexpr absl::string_view kOtherVersion = ": is it of another version?";

absl::StatusOr<UniqueFd> Connect(const std::string& path, Wait wait) {
  const auto endpoint = Endpoint::Unix(path);
  if (!endpoint.has_value()) return NoSocketPath(path);
  sockaddr_storage address;
  const socklen_t length = endpoint->ToSockaddr(&address);
  const int flags = SOCK_CLOEXEC | (wait == Wait::kNo ? SOCK_NONBLOCK : 0);
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | flags, 0));
  if (!socket.valid()) return absl::ErrnoToStatus(errno, "cannot ask the broker: socket");
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) {
    if (errno != EAGAIN) return NoControlAt(errno, path);
    return absl::DeadlineExceededError("too many others ask the broker: try again");
  }
  return socket;
}

// A broker hears root and its own user at the path of its --control. SO_PEERCRED names whoever began
// to listen, so root where a service manager did: whose broker it is cannot be told then.
std::string WhyHungUp(int socket) {
  constexpr absl::string_view kHungUp = "the broker hung up without an answer: ";
  ucred broker = {};
  socklen_t length = sizeof(broker);
  const bool known = getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &broker, &length) == 0;
  if (geteuid() == 0 || (known && broker.uid == geteuid())) {
    return absl::StrCat(kHungUp,
                        "it stops, or workers connect to that path: name the one of its --control");
  }
  return absl::StrCat(kHungUp, UserText(geteuid()), " may ask none but a broker of its own; be ",
                      known && broker.uid != 0 ? absl::StrCat(UserText(broker.uid), " or root")
                                               : "root or the user that it runs as");
}

absl::Status WhyNoAnswer(int socket, PacketStatus status, int error) {
  switch (status) {
    case PacketStatus::kWouldBlock:
      return absl::DeadlineExceededError(absl::StrCat("the broker has not answered for ",
                                                      kPatience.tv_sec,
                                                      " seconds: it hangs, or is stopped"));
    case PacketStatus::kClosed:
      return absl::UnavailableError(WhyHungUp(socket));
    case PacketStatus::kTruncated:
      return absl::InternalError(absl::StrCat("the broker's answer is too long", kOtherVersion));
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
  if (sent.status != PacketStatus::kOk) {
    return WhyNoAnswer(socket->get(), sent.status, sent.error);
  }
  return socket;
}

absl::StatusOr<nlohmann::json> Hear(int socket, Wait wait) {
  std::vector<uint8_t> packet(kMaxControlReplyBytes);
  const Received received =
      ReceivePacket(socket, absl::MakeSpan(packet), Accept::kNoDescriptor, wait);
  if (received.status != PacketStatus::kOk) {
    return WhyNoAnswer(socket, received.status, received.error);
  }
  packet.resize(received.size);
  nlohmann::json reply = nlohmann::json::parse(packet, nullptr, /*allow_exceptions=*/false);
  if (!reply.is_object()) {
    return absl::InternalError(absl::StrCat("the broker's answer is not JSON", kOtherVersion));
  }
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
