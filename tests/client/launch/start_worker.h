// Starting workers in few words, for the tests of launch::Worker.

#ifndef SOCKGATE_TESTS_CLIENT_LAUNCH_START_WORKER_H_
#define SOCKGATE_TESTS_CLIENT_LAUNCH_START_WORKER_H_

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <utility>

#include "client/launch/worker.h"

namespace sockgate::launch {

inline constexpr int kPatienceMs = 10000;

struct ChannelPair {
  UniqueFd launcher;
  UniqueFd worker;
};

inline ChannelPair MakeChannel() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

inline int Nothing(int) { return 0; }

inline int WaitForEndOfChannel(int channel) {
  char byte;
  return static_cast<int>(recv(channel, &byte, 1, 0));
}

inline absl::StatusOr<ExitStatus> StartAndWait(const WorkerOptions& options, Worker::Work prepare,
                                               Worker::Work run) {
  absl::StatusOr<Worker> worker =
      Worker::Start(MakeChannel().worker, options, std::move(prepare), std::move(run));
  if (!worker.ok()) return worker.status();
  return worker->Wait();
}

// Whether the other end of `fd` is closed, or becomes so soon.
inline bool HangsUp(int fd) {
  pollfd one{fd, POLLIN, 0};
  return poll(&one, 1, kPatienceMs) == 1 && (one.revents & POLLHUP) != 0;
}

}  // namespace sockgate::launch

#endif  // SOCKGATE_TESTS_CLIENT_LAUNCH_START_WORKER_H_
