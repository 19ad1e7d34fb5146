// Real processes, at every stage of confining themselves.

#include "broker/confined_check.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "broker/peer_check.h"
#include "proto/endpoint.h"
#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

constexpr TimePoint kNow = TimePoint() + std::chrono::hours(1);

// For the calling thread alone, or for all.
bool InstallFilter(unsigned flags) {
  sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  const sock_fprog code = {1, &allow};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &code) == 0;
}

bool ForbidPrivileges() { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0; }

bool StartThread(void* (*body)(void*), void* argument = nullptr) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, size_t{256} * 1024);
  pthread_t thread;
  return pthread_create(&thread, &attributes, body, argument) == 0;
}

void* Sleep(void*) {
  while (true) pause();
}

void* MakeThreadsForEver(void*) {
  while (true) std::thread([] {}).join();
}

// What a child does when it is told.
bool Obey(char order) {
  switch (order) {
    case 'p':
      return ForbidPrivileges();
    case 'f':
      return InstallFilter(0);
    case 'a':
      return InstallFilter(SECCOMP_FILTER_FLAG_TSYNC);
    case 't':
      return StartThread(Sleep);
    case 'm':
      return StartThread(MakeThreadsForEver);
    case 'n':
      // In its status the program's name comes before the truth.
      return prctl(PR_SET_NAME, "\nSeccomp:\t2\n") == 0;
    default:
      return false;
  }
}

// A process that has connected to a path and does as it is told.
class Child {
 public:
  Child() {
    const testing::TempFolder folder;
    sockaddr_storage address;
    const socklen_t length = Endpoint::Unix(folder / "path")->ToSockaddr(&address);
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    const UniqueFd listener(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(listener.get(), name, length), 0);
    EXPECT_EQ(listen(listener.get(), 1), 0);
    pid_ = fork();
    if (pid_ == 0) {
      const UniqueFd own(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
      if (connect(own.get(), name, length) != 0) _exit(1);
      Live(own.get());
    }
    channel_.Reset(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // One order after the other, each carried out before the next.
  void Do(const std::string& orders) {
    for (const char order : orders) {
      char done = 0;
      ASSERT_EQ(write(channel_.get(), &order, 1), 1);
      ASSERT_EQ(read(channel_.get(), &done, 1), 1);
      ASSERT_EQ(done, order);
    }
  }

  // Ends it; it stays a zombie.
  void End() {
    kill(pid_, SIGKILL);
    siginfo_t info;
    waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }

  int channel() const { return channel_.get(); }
  pid_t pid() const { return pid_; }
  ConfinedCheck Check() const {
    return ConfinedCheck::OfPeer(channel(), IdentityOf(channel()).pid);
  }

 private:
  [[noreturn]] static void Live(int channel) {
    char order = 0;
    while (read(channel, &order, 1) == 1) {
      if (!Obey(order)) order = '!';
      if (write(channel, &order, 1) != 1) break;
    }
    _exit(0);
  }

  pid_t pid_ = -1;
  UniqueFd channel_;
};

// With all the time that it takes, and after every pause.
bool Passes(ConfinedCheck& check) {
  static TimePoint now = kNow;
  now += ConfinedCheck::kPause;
  LookBudget budget;
  return check.Ask(now, &budget) == Confined::kYes;
}
bool Passes(ConfinedCheck&& check) { return Passes(check); }

TEST(ConfinedCheckTest, ALaunchersWorkerIsNotLookedAt) { EXPECT_TRUE(Passes(ConfinedCheck())); }

TEST(ConfinedCheckTest, AFilterAndNoNewPrivilegesPass) {
  Child child;
  ConfinedCheck check = child.Check();
  EXPECT_FALSE(Passes(check));
  child.Do("p");
  EXPECT_FALSE(Passes(check));
  child.Do("f");
  EXPECT_TRUE(Passes(check));
  EXPECT_TRUE(Passes(check));
}

TEST(ConfinedCheckTest, AFilterAloneDoesNotPass) {
  if (geteuid() != 0) GTEST_SKIP() << "a filter without no_new_privs needs CAP_SYS_ADMIN";
  Child child;
  child.Do("f");
  EXPECT_FALSE(Passes(child.Check()));
  child.Do("p");
  EXPECT_TRUE(Passes(child.Check()));
}

TEST(ConfinedCheckTest, EveryThreadCounts) {
  Child child;
  child.Do("tpf");
  ConfinedCheck check = child.Check();
  EXPECT_FALSE(Passes(check)) << "one thread is older than the filter";
  Child synchronised;
  synchronised.Do("tpat");
  EXPECT_TRUE(Passes(synchronised.Check()));
}

TEST(ConfinedCheckTest, ANameThatLooksLikeTheTruth) {
  Child child;
  child.Do("pn");
  EXPECT_FALSE(Passes(child.Check()));
}

TEST(ConfinedCheckTest, ThreadsThatComeAndGo) {
  Child confined;
  confined.Do("pfmm");
  ConfinedCheck check = confined.Check();
  bool passed = false;
  for (int i = 0; i < 1000 && !passed; ++i) passed = Passes(check);
  EXPECT_TRUE(passed);
  Child open;
  open.Do("mm");
  ConfinedCheck never = open.Check();
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(Passes(never));
}

TEST(ConfinedCheckTest, TooManyThreadsToLookAt) {
  Child child;
  child.Do("pf" + std::string(ConfinedCheck::kMaxThreads - 1, 't'));
  EXPECT_TRUE(Passes(child.Check()));
  child.Do("t");
  EXPECT_FALSE(Passes(child.Check()));
}

TEST(ConfinedCheckTest, ALookInVainIsNotRepeatedBeforeThePauseIsOver) {
  Child child;
  ConfinedCheck check = child.Check();
  LookBudget budget;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(check.Ask(kNow, &budget), Confined::kNo);
  EXPECT_EQ(budget.looks(), 1U);
  child.Do("pf");
  const TimePoint almost = kNow + ConfinedCheck::kPause - std::chrono::milliseconds(1);
  EXPECT_EQ(check.Ask(almost, &budget), Confined::kNo);
  EXPECT_EQ(budget.looks(), 1U);
  EXPECT_EQ(check.Ask(kNow + ConfinedCheck::kPause, &budget), Confined::kYes);
  EXPECT_EQ(check.Ask(kNow + ConfinedCheck::kPause, &budget), Confined::kYes);
  EXPECT_EQ(budget.looks(), 2U) << "what was shown was shown";
}

// One process can make as many connections as it likes, and a pause is of one of them.
TEST(ConfinedCheckTest, ManyConnectionsOfOneProcessShareTheBudget) {
  Child child;
  child.Do("pf" + std::string(ConfinedCheck::kMaxThreads - 1, 't'));
  LookBudget budget;
  std::vector<ConfinedCheck> checks;
  for (int i = 0; i < 500; ++i) checks.push_back(child.Check());
  size_t passed = 0;
  for (ConfinedCheck& check : checks) {
    const Confined confined = check.Ask(kNow, &budget);
    EXPECT_NE(confined, Confined::kNo) << "it is confined";
    passed += confined == Confined::kYes ? 1 : 0;
  }
  EXPECT_EQ(passed, budget.looks());
  EXPECT_GE(passed, 1U);
  EXPECT_LT(passed, checks.size()) << "at one moment, of which each look takes a part";
  EXPECT_EQ(checks.back().Ask(kNow + std::chrono::hours(1), &budget), Confined::kYes);
}

TEST(ConfinedCheckTest, AProcessThatHasEndedProvesNothing) {
  Child child;
  child.Do("pf");
  ConfinedCheck early = child.Check();
  ConfinedCheck late = child.Check();
  EXPECT_TRUE(Passes(early));
  child.End();
  EXPECT_TRUE(Passes(early)) << "what was shown was shown";
  EXPECT_FALSE(Passes(late));
  EXPECT_FALSE(Passes(child.Check()));
}

// As if the number of the one that ended had gone to another.
TEST(ConfinedCheckTest, AnotherProcessOfTheSameNumber) {
  Child confined;
  confined.Do("pf");
  Child gone;
  ConfinedCheck check = ConfinedCheck::OfPeer(gone.channel(), confined.pid());
  gone.End();
  EXPECT_FALSE(Passes(check));
}

// As if /proc were of another pid namespace, where that number is somebody else's.
TEST(ConfinedCheckTest, AProcessThatProcCallsByAnotherNumber) {
  Child confined;
  confined.Do("pf");
  Child other;
  int pidfd = -1;
  socklen_t length = sizeof(pidfd);
  if (getsockopt(other.channel(), SOL_SOCKET, 77 /* SO_PEERPIDFD */, &pidfd, &length) != 0) {
    GTEST_SKIP() << "the pidfd is taken by number";
  }
  close(pidfd);
  EXPECT_FALSE(Passes(ConfinedCheck::OfPeer(other.channel(), confined.pid())));
}

TEST(ConfinedCheckTest, AProcessThatCannotBeSeen) {
  Child child;
  child.Do("pf");
  EXPECT_FALSE(Passes(ConfinedCheck::OfPeer(child.channel(), 0)));
  EXPECT_FALSE(Passes(ConfinedCheck::OfPeer(STDIN_FILENO, child.pid())));
}

}  // namespace
}  // namespace sockgate
