// What a resolver that was taken over tries, each in a process of its own that is watched dying.

#include "broker/resolver/resolver_confine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <string>

namespace sockgate {
namespace {

constexpr int kNotConfined = 200;

bool Confine() {
  const auto cage = BuildResolverCage(confine::CageLevel::kIfPossible);
  return cage.ok() && ConfineResolver(*cage).ok();
}

// "exited N" or "killed N", of a child that prepares itself, is confined, and then acts.
std::string Fate(const std::function<int()>& act) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (!Confine()) _exit(kNotConfined);
    _exit(act());
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? "killed " + std::to_string(WTERMSIG(status))
                             : "exited " + std::to_string(WEXITSTATUS(status));
}

const std::string kDies = "killed " + std::to_string(SIGSYS);

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A UDP socket connected to 127.0.0.1, as the resolver has them.
int ConnectedSocket() {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  const sockaddr_in address = Loopback(9);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

TEST(ResolverConfine, LeavesAProcessThatWorks) {
  EXPECT_EQ(Fate([] { return 0; }), "exited 0");
  EXPECT_EQ(Fate([] {
              delete[] new char[64 * 1024 * 1024];
              return 0;
            }),
            "exited 0");
}

TEST(ResolverConfine, ItsSocketsSend) {
  const int fd = ConnectedSocket();
  EXPECT_EQ(Fate([fd] { return send(fd, "x", 1, MSG_NOSIGNAL) == 1 ? 0 : 1; }), "exited 0");
  close(fd);
}

TEST(ResolverConfine, NoNewSocket) {
  EXPECT_EQ(Fate([] { return socket(AF_INET, SOCK_DGRAM, 0); }), kDies);
  EXPECT_EQ(Fate([] { return socket(AF_UNIX, SOCK_STREAM, 0); }), kDies);
  EXPECT_EQ(Fate([] {
              int pair[2];
              return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
            }),
            kDies);
}

TEST(ResolverConfine, NoSocketIsPointedElsewhere) {
  const int fd = ConnectedSocket();
  sockaddr_in other = Loopback(10);
  auto* const address = reinterpret_cast<sockaddr*>(&other);
  EXPECT_EQ(Fate([&] { return connect(fd, address, sizeof(other)); }), kDies);
  EXPECT_EQ(Fate([&] { return bind(fd, address, sizeof(other)); }), kDies);
  EXPECT_EQ(Fate([&] { return static_cast<int>(sendto(fd, "x", 1, 0, address, sizeof(other))); }),
            kDies);
  EXPECT_EQ(Fate([&] { return static_cast<int>(send(fd, "x", 1, MSG_FASTOPEN)); }), kDies);
  EXPECT_EQ(Fate([&] {
              iovec part = {&other, 1};
              msghdr message = {};
              message.msg_name = address;
              message.msg_namelen = sizeof(other);
              message.msg_iov = &part;
              message.msg_iovlen = 1;
              return static_cast<int>(sendmsg(fd, &message, 0));
            }),
            kDies);
  EXPECT_EQ(Fate([&] { return setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &fd, sizeof(fd)); }), kDies);
  close(fd);
}

TEST(ResolverConfine, NoFile) {
  EXPECT_EQ(Fate([] { return open("/etc/passwd", O_RDONLY); }), kDies);
  EXPECT_EQ(Fate([] { return static_cast<int>(syscall(SYS_open, "/etc/passwd", O_RDONLY)); }),
            kDies);
  EXPECT_EQ(Fate([] { return unlink("/nothing"); }), kDies);
  EXPECT_EQ(Fate([] {
              char byte;
              return static_cast<int>(read(STDIN_FILENO, &byte, 1));
            }),
            kDies);
  EXPECT_EQ(Fate([] { return static_cast<int>(write(STDOUT_FILENO, "", 0)); }), kDies);
}

TEST(ResolverConfine, NoProcessAndNoProgram) {
  EXPECT_EQ(Fate([] { return fork() == 0 ? 0 : 1; }), kDies);
  EXPECT_EQ(Fate([] { return execl("/bin/true", "true", nullptr); }), kDies);
  EXPECT_EQ(Fate([] { return kill(getppid(), 0); }), kDies);
  EXPECT_EQ(Fate([] { return static_cast<int>(syscall(SYS_ptrace, 0, 0, 0, 0)); }), kDies);
  EXPECT_EQ(Fate([] { return static_cast<int>(syscall(SYS_pidfd_open, getppid(), 0)); }), kDies);
}

TEST(ResolverConfine, NoMachineCode) {
  EXPECT_EQ(Fate([] {
              return mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                          0) == MAP_FAILED
                         ? 1
                         : 0;
            }),
            kDies);
}

TEST(ResolverConfine, NoMemoryWithoutEnd) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's memory is beyond any bound";
#endif
  EXPECT_EQ(Fate([] {
              constexpr size_t kGibibyte = size_t{1} << 30;
              const void* const taken = mmap(nullptr, kGibibyte, PROT_READ | PROT_WRITE,
                                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return taken == MAP_FAILED && errno == ENOMEM ? 0 : 1;
            }),
            "exited 0");
}

TEST(ResolverConfine, NoFutexButThatOfALock) {
  EXPECT_EQ(Fate([] {
              int word = 0;
              return static_cast<int>(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1));
            }),
            "exited 0");
  EXPECT_EQ(Fate([] {
              int word = 0;
              return static_cast<int>(syscall(SYS_futex, &word, FUTEX_LOCK_PI, 0, nullptr));
            }),
            kDies);
}

TEST(ResolverConfine, NoWayAround) {
  EXPECT_EQ(Fate([] { return static_cast<int>(syscall(SYS_io_uring_setup, 1, nullptr)); }), kDies);
  EXPECT_EQ(Fate([] { return static_cast<int>(syscall(SYS_bpf, 0, nullptr, 0)); }), kDies);
  EXPECT_EQ(Fate([] { return prctl(PR_SET_DUMPABLE, 1); }), kDies);
  EXPECT_EQ(Fate([] { return fcntl(0, F_SETOWN, 1); }), kDies);
#if defined(__x86_64__)
  constexpr int kX32 = 0x40000000;
  EXPECT_EQ(Fate([] { return static_cast<int>(syscall(kX32 + SYS_close, -1)); }), kDies);
#endif
}

// The filter forbids to ask, so the kernel's own account is read from outside.
TEST(ResolverConfine, NoPrivilegeIsLeft) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    close(ready[0]);
    if (!Confine()) _exit(kNotConfined);
    close(ready[1]);
    char byte;
    while (recv(STDIN_FILENO, &byte, 1, 0) < 0) {
    }
    _exit(0);
  }
  close(ready[1]);
  char byte;
  EXPECT_EQ(read(ready[0], &byte, 1), 0);
  std::string status;
  FILE* const file = fopen(("/proc/" + std::to_string(pid) + "/status").c_str(), "re");
  for (int c = fgetc(file); c != EOF; c = fgetc(file)) status += static_cast<char>(c);
  fclose(file);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  close(ready[0]);
  for (const char* line : {"CapEff:\t0000000000000000", "CapPrm:\t0000000000000000",
                           "CapInh:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"}) {
    EXPECT_NE(status.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace sockgate
