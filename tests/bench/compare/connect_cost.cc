#include "tests/bench/compare/connect_cost.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include "proto/unique_fd.h"
#include "tests/bench/accept_sink.h"

namespace sockgate::bench {
namespace {

constexpr int kBatch = 100;
constexpr uint32_t kHost = 0x7f000001;

double ThreadMicroseconds() {
  timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
}

}  // namespace

absl::StatusOr<double> ConnectCpuMicroseconds(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(kHost);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  double us = 0;
  for (int i = 0; i < kBatch; ++i) {
    const double begun = ThreadMicroseconds();
    UniqueFd made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const bool connected = connect(made.get(), generic, sizeof(address)) == 0;
    if (!connected && errno != EINPROGRESS) return absl::ErrnoToStatus(errno, "connect");
    us += ThreadMicroseconds() - begun;
    CloseAtOnce(std::move(made));
  }
  return us / kBatch;
}

}  // namespace sockgate::bench
