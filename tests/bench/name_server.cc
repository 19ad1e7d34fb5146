#include "tests/bench/name_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace sockgate::bench {
namespace {

constexpr uint16_t kDnsPort = 53;
constexpr size_t kMaxUdpMessage = 512;  // RFC 1035 section 2.3.4

// RFC 1035 section 4.1.1: where things are in a message.
constexpr size_t kFlags = 2;
constexpr size_t kAnswerCount = 6;
constexpr size_t kFirstLabel = 13;
constexpr uint8_t kTypeA = 1;

// Turns a question into its answer and returns its size; 0 for what is none.
size_t Answer(uint8_t* message, size_t size) {
  const auto* end = static_cast<uint8_t*>(
      size > kFirstLabel ? std::memchr(message + kFirstLabel, 0, size - kFirstLabel) : nullptr);
  constexpr size_t kTypeAndClass = 4;
  if (end == nullptr || end + 1 + kTypeAndClass > message + size) return 0;
  const bool has_record = end[2] == kTypeA;
  const auto question = static_cast<size_t>(end + 1 + kTypeAndClass - message);
  message[kFlags] = 0x81;  // a response, recursion desired
  message[kFlags + 1] = 0x80;
  const std::array<uint8_t, 6> counts = {0, static_cast<uint8_t>(has_record ? 1 : 0), 0, 0, 0, 0};
  std::memcpy(message + kAnswerCount, counts.data(), counts.size());
  if (!has_record) return question;
  const auto last = static_cast<uint8_t>(message[kFirstLabel] - '0');
  // The name is a pointer to the question's; class IN, 300 s, four bytes.
  const std::array<uint8_t, 16> record = {0xc0, 12, 0, kTypeA, 0,   1, 0, 0,
                                          1,    44, 0, 4,      127, 0, 0, last};
  if (question + record.size() > kMaxUdpMessage) return 0;
  std::memcpy(message + question, record.data(), record.size());
  return question + record.size();
}

int Bind() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(kDnsPort);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 ? fd : -1;
}

// Says on `control` that it listens, and goes on until its parent ends it.
void ServeNames(int control) {
  const int fd = Bind();
  if (fd < 0 || send(control, "", 1, MSG_NOSIGNAL) != 1) return;
  std::array<uint8_t, kMaxUdpMessage> message;
  while (true) {
    sockaddr_in from;
    socklen_t length = sizeof(from);
    auto* const address = reinterpret_cast<sockaddr*>(&from);
    const ssize_t size = recvfrom(fd, message.data(), message.size(), 0, address, &length);
    const size_t answer = size > 0 ? Answer(message.data(), static_cast<size_t>(size)) : 0;
    if (answer > 0) sendto(fd, message.data(), answer, 0, address, length);
  }
}

}  // namespace

std::string WithName(absl::string_view url, absl::string_view label) {
  constexpr absl::string_view kBefore = "http://127.0.0.";
  const absl::string_view digit = url.substr(kBefore.size(), 1);
  const absl::string_view rest = url.substr(kBefore.size() + 1);
  return absl::StrCat("http://", digit, label, ".", kZone, rest);
}

absl::StatusOr<NameServer> NameServer::Start() {
  auto process = ChildProcess::Start(ServeNames);
  if (!process.ok()) return process.status();
  char listens;
  if (recv(process->control(), &listens, 1, 0) != 1) {
    return absl::UnavailableError("the name server did not start");
  }
  return NameServer(*std::move(process));
}

}  // namespace sockgate::bench
