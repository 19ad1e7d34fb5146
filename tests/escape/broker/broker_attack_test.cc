// The broker's process as a target of a confined worker of the same user, and what the kernel
// itself would say. The broker serves others before and after.

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/launch/sandbox_profile.h"
#include "tests/client/launch/forked.h"
#include "tests/escape/act.h"
#include "tests/integration/confined.h"
#include "tests/integration/server_process.h"
#include "tests/integration/transfer.h"

namespace sockgate::escape {
namespace {

using launch::ErrnoOf;
using launch::Exited;
using launch::FetcherProfile;
using testing::ServerProcess;

int Write(pid_t broker) {
  static char here[8] = "changed";
  const iovec local{here, sizeof(here)};
  const iovec remote{here, sizeof(here)};  // a fork of ours has it at the same place
  return ErrnoOf(process_vm_writev(broker, &local, 1, &remote, 1, 0));
}

int OpenMemory(pid_t broker) {
  return ErrnoOf(open(absl::StrCat("/proc/", broker, "/mem").c_str(), O_RDWR));
}

struct Attack {
  const char* name;
  int (*attempt)(pid_t broker);
  launch::ExitStatus confined = Killed();
};

const Attack kAttacks[] = {
    {"Trace", [](pid_t pid) { return ErrnoOf(ptrace(PTRACE_SEIZE, pid, nullptr, nullptr)); }},
    {"WriteMemory", Write},
    {"OpenMemory", OpenMemory, Exited(EACCES)},
    {"Probe", [](pid_t pid) { return ErrnoOf(kill(pid, 0)); }},
    {"Stop", [](pid_t pid) { return ErrnoOf(kill(pid, SIGSTOP)); }},
    {"Kill", [](pid_t pid) { return ErrnoOf(kill(pid, SIGKILL)); }},
    {"TakeHandle", [](pid_t pid) { return ErrnoOf(syscall(SYS_pidfd_open, pid, 0)); }},
    {"CompareDescriptors",
     [](pid_t pid) { return ErrnoOf(syscall(SYS_kcmp, getpid(), pid, 0, 0, 0)); }},
    {"LimitIt",
     [](pid_t pid) {
       return ErrnoOf(syscall(SYS_prlimit64, pid, 7 /* RLIMIT_NOFILE */, nullptr, nullptr));
     }},
};

class BrokerAttackTest : public ::testing::TestWithParam<Attack> {
 protected:
  static std::string Fetch(BrokerProcess& broker, const ServerProcess& server) {
    return testing::RunConfined(broker, [&](BrokerClient& client) {
      CurlAdapter adapter(&client, {});
      return testing::Perform(adapter, server.Url("/status/204")).ToString();
    });
  }

  Act ActOn(pid_t broker) const {
    return {GetParam().name, GetParam().confined,
            [=]() -> Attempt { return [=] { return GetParam().attempt(broker); }; }};
  }

  ServerProcess server_{testing::LoopbackServer::Options()};
  BrokerProcess broker_ = testing::StartBroker({"127.0.0.1:*"});
};

TEST_P(BrokerAttackTest, FailsFromWithinTheProfileAndTheBrokerServesOn) {
  const std::string before = Fetch(broker_, server_);
  EXPECT_EQ(Perform(ActOn(broker_.pid()), {FetcherProfile()}), GetParam().confined);
  EXPECT_EQ(Fetch(broker_, server_), before);
}

// As root, to whom the broker's own lock (not dumpable) is none. The broker may die of it.
TEST_P(BrokerAttackTest, IsRealWhenUnconfined) {
  const launch::ExitStatus free = Perform(ActOn(broker_.pid()), {});
  if (free != Exited(0)) GTEST_SKIP() << "this user or kernel refuses it unconfined too";
  kill(broker_.pid(), SIGCONT);
}

INSTANTIATE_TEST_SUITE_P(Attacks, BrokerAttackTest, ::testing::ValuesIn(kAttacks),
                         [](const auto& attack) { return std::string(attack.param.name); });

}  // namespace
}  // namespace sockgate::escape
