#include "tests/bench/bare_broker.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstring>
#include <utility>

namespace sockgate::bench {
namespace {

union Control {
  cmsghdr alignment;
  char bytes[CMSG_SPACE(sizeof(int))];
};

msghdr MessageOf(iovec* part, Control* control) {
  msghdr message = {};
  message.msg_iov = part;
  message.msg_iovlen = 1;
  message.msg_control = control->bytes;
  message.msg_controllen = sizeof(control->bytes);
  return message;
}

bool Reply(int channel, int descriptor) {
  char byte = 0;
  iovec part = {&byte, 1};
  Control control = {};
  msghdr message = MessageOf(&part, &control);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(descriptor));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof(descriptor));
  return sendmsg(channel, &message, MSG_NOSIGNAL) == 1;
}

void Serve(int channel) {
  sockaddr_in target;
  while (recv(channel, &target, sizeof(target), 0) == sizeof(target)) {
    const UniqueFd made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!made.valid()) return;
    if (connect(made.get(), reinterpret_cast<sockaddr*>(&target), sizeof(target)) != 0) return;
    if (!Reply(channel, made.get())) return;
  }
}

}  // namespace

absl::StatusOr<BareBroker> BareBroker::Start() {
  absl::StatusOr<ChildProcess> process = ChildProcess::Start(Serve);
  if (!process.ok()) return process.status();
  return BareBroker(*std::move(process));
}

UniqueFd BareBroker::Connect(const sockaddr_in& target) const {
  if (send(process_.control(), &target, sizeof(target), MSG_NOSIGNAL) != sizeof(target)) return {};
  char byte;
  iovec part = {&byte, 1};
  Control control = {};
  msghdr message = MessageOf(&part, &control);
  if (recvmsg(process_.control(), &message, MSG_CMSG_CLOEXEC) != 1) return {};
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return {};
  int descriptor;
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof(descriptor));
  return UniqueFd(descriptor);
}

}  // namespace sockgate::bench
