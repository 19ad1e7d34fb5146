// Part of ./demo: what a worker under the fetcher profile is told when it tries to go its own way.
//
// Usage: inside_worker PORT, where a server listens on 127.0.0.1:PORT. Exit status 0 when
// everything was refused, and the last of it killed the worker.

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "client/launch/worker.h"
#include "proto/packet_socket.h"

namespace {

sockaddr_in g_server = {};
int g_early_socket = -1;  // opened before confinement

bool Tell(const char* act, int result, int expected) {
  const int error = result < 0 ? errno : 0;
  std::printf("  %-58s %s\n", act, error == 0 ? "succeeded!" : std::strerror(error));
  return error == expected;
}

int TryEverything() {
  auto* address = reinterpret_cast<sockaddr*>(&g_server);
  socklen_t length = sizeof(g_server);
  bool refused = Tell("socket(AF_INET, SOCK_STREAM):", socket(AF_INET, SOCK_STREAM, 0), EACCES);
  refused &= Tell("connect() of a socket that was opened before:",
                  connect(g_early_socket, address, length), EINPROGRESS);
  refused &= Tell("  ... which never reached the kernel, getpeername():",
                  getpeername(g_early_socket, address, &length), ENOTCONN);
  refused &= Tell("open(\"/etc/passwd\"):", open("/etc/passwd", O_RDONLY | O_CLOEXEC), EACCES);
  if (!refused) return EXIT_FAILURE;
  std::printf("  %-58s ", "execve(\"/bin/sh\"):");
  std::fflush(stdout);
  char* const none[] = {nullptr};
  execve("/bin/sh", none, none);
  std::puts("went on!");
  return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s PORT\n", argv[0]);
    return 2;
  }
  g_server.sin_family = AF_INET;
  g_server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  g_server.sin_port = htons(static_cast<uint16_t>(std::strtoul(argv[1], nullptr, 10)));
  g_early_socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto channel = sockgate::MakeChannelPair();
  if (g_early_socket < 0 || !channel.has_value()) {
    std::perror(argv[0]);
    return EXIT_FAILURE;
  }
  sockgate::launch::WorkerOptions options;
  options.keep_descriptors.push_back(g_early_socket);
  auto worker = sockgate::launch::Worker::Start(std::move(channel->worker), options, nullptr,
                                                [](int /*channel*/) { return TryEverything(); });
  if (!worker.ok()) {
    std::fprintf(stderr, "%s\n", worker.status().ToString().c_str());
    return EXIT_FAILURE;
  }
  const auto status = worker->Wait();
  const bool killed = status.ok() && status->signaled && status->code_or_signal == SIGSYS;
  if (killed) std::puts("killed, as for every system call that libcurl has no use for");
  return killed ? EXIT_SUCCESS : EXIT_FAILURE;
}
