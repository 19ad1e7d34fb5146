// A broker in its cage, looked at from outside by libcap-ng and by what /proc says, and from inside
// by what it says itself. What it may not do any more is tests/escape's affair.

#include "broker/cage.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "broker/broker.h"
#include "broker/broker_process.h"
#include "confine/landlock_rules.h"
#include "tests/broker/temp_folder.h"
#include "tests/broker/test_worker.h"
#include "tests/client/launch/forked.h"

namespace sockgate {
namespace {

using confine::CageLevel;
using launch::Exited;
using launch::RunForked;
using ::testing::HasSubstr;

BrokerOptions Options(CageLevel level, const SocketOptions& sockets = {}) {
  Role role;
  role.name = "fetch";
  role.policy = Policy({*Rule::Parse(Decision::kAllow, "127.0.0.0/8:*")});
  role.socket_options = sockets;
  BrokerOptions options;
  options.roles.push_back(role);
  options.cage = level;
  return options;
}

SocketOptions Marked() {
  SocketOptions sockets;
  sockets.mark = 7;
  return sockets;
}

// A child that has entered, or could not, and then waits to be killed.
class CagedChild {
 public:
  explicit CagedChild(BrokerOptions options) {
    int report[2];
    EXPECT_EQ(pipe(report), 0);
    pid_ = fork();
    if (pid_ == 0) {
      auto broker = Broker::Create(std::move(options));
      const absl::Status status = broker.ok() ? (*broker)->EnterCage() : broker.status();
      const std::string text =
          status.ok() ? (*broker)->cage().ToString() : absl::StrCat("! ", status.message());
      const ssize_t written = write(report[1], text.data(), text.size());
      close(report[1]);
      // Not pause(2), which is not listed.
      while (written > 0) poll(nullptr, 0, -1);
      _exit(1);
    }
    close(report[1]);
    char part[512];
    for (ssize_t size = 1; size > 0;) {
      size = read(report[0], part, sizeof(part));
      if (size > 0) report_.append(part, static_cast<size_t>(size));
    }
    close(report[0]);
  }
  ~CagedChild() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  CagedChild(const CagedChild&) = delete;
  CagedChild& operator=(const CagedChild&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& report() const { return report_; }

 private:
  pid_t pid_ = -1;
  std::string report_;
};

std::string StatusOf(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/status"));
  return {std::istreambuf_iterator<char>(file), {}};
}

bool HasLandlock() { return confine::LandlockRules::KernelAbi() > 0; }
bool IsRoot() { return geteuid() == 0; }

// What the process holds in this set, by libcap-ng.
bool Holds(pid_t pid, capng_type_t set, unsigned capability) {
  capng_clear(CAPNG_SELECT_ALL);
  capng_setpid(pid);
  EXPECT_EQ(capng_get_caps_process(), 0);
  return capng_have_capability(set, capability) == 1;
}

bool HoldsNothing(pid_t pid) {
  capng_clear(CAPNG_SELECT_ALL);
  capng_setpid(pid);
  EXPECT_EQ(capng_get_caps_process(), 0);
  return capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE;
}

TEST(Cage, EveryLayerIsInForce) {
  const CagedChild child(Options(CageLevel::kIfPossible));
  EXPECT_THAT(child.report(), HasSubstr("capabilities: none, no_new_privs, not dumpable"));
  EXPECT_THAT(child.report(), HasSubstr("seccomp"));
  EXPECT_EQ(absl::StrContains(child.report(), "Landlock (ABI "), HasLandlock());
  const std::string status = StatusOf(child.pid());
  EXPECT_THAT(status, HasSubstr("\nNoNewPrivs:\t1\n"));
  EXPECT_THAT(status, HasSubstr("\nSeccomp:\t2\n"));
  EXPECT_TRUE(HoldsNothing(child.pid()));
  if (IsRoot()) {
    EXPECT_THAT(status, HasSubstr("\nCapBnd:\t0000000000000000\n"));
    EXPECT_THAT(status, HasSubstr("\nCapAmb:\t0000000000000000\n"));
  }
}

TEST(Cage, NobodyMayLookIntoItsMemory) {
  if (IsRoot()) GTEST_SKIP() << "root may look into any process";
  const CagedChild child(Options(CageLevel::kIfPossible));
  EXPECT_EQ(open(absl::StrCat("/proc/", child.pid(), "/mem").c_str(), O_RDONLY), -1);
}

TEST(Cage, ItWritesNoCore) {
  const CagedChild child(Options(CageLevel::kIfPossible));
  std::ifstream file(absl::StrCat("/proc/", child.pid(), "/limits"));
  const std::string limits{std::istreambuf_iterator<char>(file), {}};
  if (limits.empty()) GTEST_SKIP() << "only root may ask";
  EXPECT_THAT(limits, ::testing::ContainsRegex("Max core file size +0 +0 "));
}

TEST(Cage, OnlyWhatTheRolesNeedIsKept) {
  if (!IsRoot()) GTEST_SKIP() << "needs capabilities to keep";
  const CagedChild child(Options(CageLevel::kIfPossible, Marked()));
  const bool raw = Holds(child.pid(), CAPNG_PERMITTED, CAP_NET_RAW);
  EXPECT_NE(raw, Holds(child.pid(), CAPNG_PERMITTED, CAP_NET_ADMIN)) << "one of the two";
  EXPECT_EQ(raw, Holds(child.pid(), CAPNG_EFFECTIVE, CAP_NET_RAW));
  for (unsigned other = 0; other <= CAP_LAST_CAP; ++other) {
    EXPECT_FALSE(Holds(child.pid(), CAPNG_BOUNDING_SET, other)) << other;
    if (other == CAP_NET_RAW || other == CAP_NET_ADMIN) continue;
    EXPECT_FALSE(Holds(child.pid(), CAPNG_PERMITTED, other)) << other;
  }
}

TEST(Cage, ACapabilityThatIsNotThereIsAnError) {
  EXPECT_EQ(RunForked([] {
              if (confine::KeepOnlyCapabilities(0) != 0) return 1;
              const auto broker = *Broker::Create(Options(CageLevel::kIfPossible, Marked()));
              const absl::Status status = broker->EnterCage();
              return absl::IsFailedPrecondition(status) &&
                             absl::StrContains(status.message(), "role fetch need CAP_NET_")
                         ? 0
                         : 2;
            }),
            Exited(0));
}

TEST(Cage, WithoutLandlock) {
  const CagedChild child(Options(CageLevel::kWithoutLandlock));
  EXPECT_THAT(child.report(), HasSubstr("not dumpable, seccomp"));
}

TEST(Cage, NoneChangesNothing) {
  const std::string before = StatusOf(getpid());
  const CagedChild child(Options(CageLevel::kNone));
  const std::string status = StatusOf(child.pid());
  for (const char* line : {"\nCapPrm:", "\nCapBnd:", "\nNoNewPrivs:", "\nSeccomp:"}) {
    const auto value = [&](const std::string& text) {
      const size_t at = text.find(line);
      return text.substr(at, text.find('\n', at + 1) - at);
    };
    EXPECT_EQ(value(status), value(before));
  }
  EXPECT_THAT(child.report(), ::testing::Not(HasSubstr("Landlock")));
}

TEST(Cage, ItIsForAProcessWithOneThread) {
  EXPECT_EQ(RunForked([] {
              const auto broker = *Broker::Create(Options(CageLevel::kIfPossible));
              std::thread([] { poll(nullptr, 0, -1); }).detach();
              const absl::Status status = broker->EnterCage();
              return absl::StrContains(status.message(), "there are 2 threads") ? 0 : 1;
            }),
            Exited(0));
}

TEST(Cage, TheLogTellsOfItFirst) {
  const UniqueFd log(memfd_create("audit", MFD_CLOEXEC));
  BrokerOptions options = Options(CageLevel::kIfPossible);
  options.audit.Reset(fcntl(log.get(), F_DUPFD_CLOEXEC, 0));
  auto broker = BrokerProcess::Start(std::move(options));
  ASSERT_TRUE(broker.ok());
  testing::TestWorker worker(*broker->AddWorker("fetch"));
  worker.Greet();
  broker->Stop();
  char text[256] = {};
  ASSERT_GT(pread(log.get(), text, sizeof(text) - 1, 0), 0);
  EXPECT_THAT(text, HasSubstr(R"("event":"cage","level":"if-possible")"));
  EXPECT_THAT(text, HasSubstr(R"("capabilities":"none","no_new_privs":1,"not_dumpable":1)"));
}

TEST(Cage, ABrokerProcessAndItsResolverAreCaged) {
  BrokerOptions options = Options(CageLevel::kIfPossible);
  options.resolver.emplace();
  auto broker = BrokerProcess::Start(std::move(options));
  ASSERT_TRUE(broker.ok());
  testing::TestWorker worker(*broker->AddWorker("fetch"));
  worker.Greet();
  std::ifstream children(
      absl::StrCat("/proc/", broker->pid(), "/task/", broker->pid(), "/children"));
  pid_t keeper = 0;
  children >> keeper;
  if (keeper == 0) GTEST_SKIP() << "this kernel does not list children";
  for (const pid_t pid : {broker->pid(), keeper}) {
    EXPECT_THAT(StatusOf(pid), HasSubstr("\nNoNewPrivs:\t1\n"));
    EXPECT_THAT(StatusOf(pid), HasSubstr("\nSeccomp:\t2\n"));
    EXPECT_TRUE(HoldsNothing(pid));
  }
}

}  // namespace
}  // namespace sockgate
