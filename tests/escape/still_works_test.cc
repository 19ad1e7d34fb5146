// What a fetcher needs must work under the profile: a filter that refuses too much is found here.

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#include "client/launch/confine.h"
#include "tests/client/launch/forked.h"

namespace sockgate::escape {
namespace {

using launch::Confine;
using launch::ErrnoOf;
using launch::Exited;
using launch::FetcherProfile;
using launch::RunForked;

constexpr int kNotConfined = 200;
constexpr int kWrong = 201;

// How `body` ends in a process under the fetcher profile; 0 is right.
launch::ExitStatus Confined(const std::function<int()>& body) {
  return RunForked([&] { return Confine(FetcherProfile()).ok() ? body() : kNotConfined; });
}

int Churn() {
  for (size_t size = 16; size < (1U << 22); size *= 2) {
    std::vector<char> block(size, 'x');
    block.resize(size * 2);
    if (block[size - 1] != 'x') return kWrong;
  }
  return 0;
}

TEST(StillWorks, ThreadsStartAllocateAndEnd) {
  EXPECT_EQ(Confined([] {
              for (int round = 0; round < 20; ++round) {
                std::atomic<int> failed{0};
                std::vector<std::thread> threads;
                threads.reserve(8);
                for (int i = 0; i < 8; ++i) threads.emplace_back([&] { failed += Churn(); });
                for (std::thread& thread : threads) thread.join();
                if (failed != 0) return failed.load();
              }
              return 0;
            }),
            Exited(0));
}

TEST(StillWorks, DetachedThreadsAsLibcurlsResolverStartsThem) {
  EXPECT_EQ(Confined([] {
              static std::atomic<int> done{0};
              pthread_attr_t attributes;
              pthread_attr_init(&attributes);
              pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
              pthread_t thread;
              const int error = pthread_create(
                  &thread, &attributes, [](void*) -> void* { return done = 1, nullptr; }, nullptr);
              while (error == 0 && done == 0) sched_yield();
              return error;
            }),
            Exited(0));
}

TEST(StillWorks, WakeUpPairReadWriteAndPoll) {
  EXPECT_EQ(
      Confined([] {
        std::array<int, 2> pair{};
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) != 0) {
          return errno;
        }
        if (write(pair[0], "x", 1) != 1 || send(pair[0], "y", 1, MSG_NOSIGNAL) != 1) {
          return errno;
        }
        pollfd one{pair[1], POLLIN, 0};
        char both[2];
        if (poll(&one, 1, 1000) != 1 || read(pair[1], both, 2) != 2) return kWrong;
        return ErrnoOf(shutdown(pair[0], SHUT_RDWR)) + ErrnoOf(close(pair[1]));
      }),
      Exited(0));
}

TEST(StillWorks, EventDescriptor) {
  EXPECT_EQ(Confined([] { return ErrnoOf(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }), Exited(0));
}

TEST(StillWorks, ReceivingADescriptorsMessage) {
  EXPECT_EQ(RunForked([] {
              std::array<int, 2> pair{};
              if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair.data()) != 0) return errno;
              if (!Confine(FetcherProfile()).ok()) return kNotConfined;
              if (send(pair[0], "question", 8, MSG_NOSIGNAL) != 8) return errno;
              char room[16];
              iovec part{room, sizeof(room)};
              msghdr message{nullptr, 0, &part, 1, nullptr, 0, 0};
              return recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC) == 8 ? 0 : kWrong;
            }),
            Exited(0));
}

TEST(StillWorks, TheOptionsThatLibcurlSets) {
  EXPECT_EQ(RunForked([] {
              const int fd = socket(AF_INET, SOCK_STREAM, 0);
              if (!Confine(FetcherProfile()).ok()) return kNotConfined;
              const int on = 1;
              int failed = ErrnoOf(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)));
              for (const int option : {TCP_NODELAY, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT}) {
                failed += ErrnoOf(setsockopt(fd, IPPROTO_TCP, option, &on, sizeof(on)));
              }
              int error = 0;
              socklen_t size = sizeof(error);
              failed += ErrnoOf(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
              const int flags = fcntl(fd, F_GETFL);
              return failed + ErrnoOf(flags) + ErrnoOf(fcntl(fd, F_SETFL, flags | O_NONBLOCK)) +
                     ErrnoOf(fcntl(fd, F_SETFD, FD_CLOEXEC));
            }),
            Exited(0));
}

TEST(StillWorks, IgnoringBrokenPipes) {
  EXPECT_EQ(Confined([] {
              struct sigaction ignore {};
              ignore.sa_handler = SIG_IGN;
              struct sigaction before {};
              return ErrnoOf(sigaction(SIGPIPE, &ignore, &before)) +
                     ErrnoOf(sigaction(SIGPIPE, &before, nullptr));
            }),
            Exited(0));
}

TEST(StillWorks, ClocksSleepAndRandomness) {
  EXPECT_EQ(Confined([] {
              timespec now{};
              timespec later{};
              const timespec pause{0, 2000000};
              char random[32];
              if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) return errno;
              if (const int error = clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr)) {
                return error;
              }
              if (clock_gettime(CLOCK_MONOTONIC, &later) != 0) return errno;
              if (getrandom(random, sizeof(random), 0) != ssize_t{sizeof(random)}) return errno;
              const bool passed =
                  later.tv_sec > now.tv_sec || later.tv_nsec - now.tv_nsec >= 2000000;
              return passed && time(nullptr) > 0 ? 0 : kWrong;
            }),
            Exited(0));
}

TEST(StillWorks, WritingToAStreamThatWasOpen) {
  EXPECT_EQ(RunForked([] {
              FILE* file = tmpfile();
              if (file == nullptr || !Confine(FetcherProfile()).ok()) return kNotConfined;
              const std::vector<char> much(100000, 'x');
              if (fwrite(much.data(), 1, much.size(), file) != much.size()) return errno;
              return fflush(file) == 0 && fseek(file, 0, SEEK_SET) == 0 && fgetc(file) == 'x'
                         ? 0
                         : kWrong;
            }),
            Exited(0));
}

TEST(StillWorks, GrowingLargeBlocksInPlace) {
  EXPECT_EQ(Confined([] {
              for (int shift = 20; shift < 26; ++shift) {
                void* block = std::malloc(size_t{1} << shift);
                void* larger = std::realloc(block, size_t{3} << shift);
                if (larger == nullptr) std::free(block);
                if (larger == nullptr) return kWrong;
                std::free(larger);
              }
              return 0;
            }),
            Exited(0));
}

TEST(StillWorks, ExitingByExitGroup) {
  EXPECT_EQ(Confined([] { return 77; }), Exited(77));
}

}  // namespace
}  // namespace sockgate::escape
