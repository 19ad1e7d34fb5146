// The kernel runs short of what a real broker needs, or keeps interrupting it: whoever asks is told,
// nobody waits in vain, and when it has passed all is as before.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "confine/identity.h"
#include "proto/packet_socket.h"
#include "tests/broker/replace_world.h"
#include "tests/broker/test_worker.h"
#include "tests/client/launch/forked.h"
#include "tests/integration/confined.h"
#include "tests/support/audit_ledger.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/process_stats.h"
#include "tests/tool/policy_daemon.h"

namespace sockgate::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr ConnectMode kBothModes[] = {ConnectMode::kConnected, ConnectMode::kInProgress};
constexpr char kLoopback[] = "127.0.0.1";

bool SetDescriptorLimit(pid_t pid, rlim_t soft) {
  rlimit limit = {};
  if (prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) != 0) return false;
  limit.rlim_cur = soft;
  return prlimit(pid, RLIMIT_NOFILE, &limit, nullptr) == 0;
}

// What a process of this user may do to another one, and root without CAP_SYS_RESOURCE may not.
bool SetDescriptorLimitAs(const confine::Identity& user, pid_t pid, rlim_t soft) {
  const launch::ExitStatus status = launch::RunForked([&] {
    if (user.Become() != 0) return 1;
    return SetDescriptorLimit(pid, soft) ? 0 : 2;
  });
  return status == launch::Exited(0);
}

void CloseAtOnce(UniqueFd socket) {
  const linger at_once = {1, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

// What a process does in a second in which nothing can be done.
struct Second {
  explicit Second(pid_t pid) {
    const auto cpu_before = CpuTime(pid).value();
    const uint64_t wakeups_before = WakeUps(pid).value();
    std::this_thread::sleep_for(std::chrono::seconds(1));
    cpu = CpuTime(pid).value() - cpu_before;
    wakeups = WakeUps(pid).value() - wakeups_before;
  }
  std::chrono::microseconds cpu;
  uint64_t wakeups;
};

// A broker whose log the test reads, with workers that the test plays.
class BrokerFault : public ::testing::Test {
 protected:
  void Start(Role role, const std::optional<confine::Identity>& user = std::nullopt) {
    BrokerOptions options;
    options.roles.push_back(std::move(role));
    options.audit.Reset(open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    auto broker = BrokerProcess::Start(std::move(options), user);
    ASSERT_TRUE(broker.ok()) << broker.status();
    broker_.emplace(*std::move(broker));
  }

  TestWorker Worker() {
    TestWorker worker(*broker_->AddWorker("test"));
    worker.Greet();
    return worker;
  }

  AuditLedger Ledger() const {
    AuditLedger ledger;
    ledger.AddFile(log_);
    return ledger;
  }
  bool AwaitChange(const std::string& change, uint64_t count) const {
    for (int i = 0; i < 1000; ++i) {
      if (Ledger().Changes(change) >= count) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }
  void ExpectWholeLog() {
    broker_->Stop();
    EXPECT_EQ(Ledger().Fault(), "");
  }

  Outcome Ask(TestWorker* worker) {
    return worker->Ask(ConnectTo(kLoopback, target_->port())).result().outcome;
  }

  const TempFolder folder_;
  const std::string log_ = folder_ / "audit";
  const absl::StatusOr<SilentListener> target_ = SilentListener::Listen("0.0.0.0");
  std::optional<BrokerProcess> broker_;
};

class OutOfDescriptors : public ::testing::Test, protected PolicyDaemon {
 protected:
  void SetUp() override {
    WritePolicy(PolicyText(absl::StrCat(target_->port())));
    ASSERT_TRUE(Start()) << StandardError();
    ASSERT_EQ(prlimit(pid(), RLIMIT_NOFILE, nullptr, &before_), 0);
  }
  // None that is open goes; poll(2) wants as many as it looks at.
  void TakeAll() const { ASSERT_TRUE(SetDescriptorLimit(pid(), 3)); }
  void GiveBack() const { ASSERT_TRUE(SetDescriptorLimit(pid(), before_.rlim_cur)); }

  void ExpectLimited(const Result& result) const {
    EXPECT_EQ(result.outcome, Outcome::kLimited);
    EXPECT_EQ(result.reason, Reason::kDescriptors);
    EXPECT_GT(result.retry_after_ms, 0U);
  }

  rlimit before_ = {};
  const absl::StatusOr<SilentListener> target_ = SilentListener::Listen();
};

TEST_F(OutOfDescriptors, IsSaidAndPasses) {
  TestWorker worker = Worker();
  TakeAll();
  for (const ConnectMode mode : kBothModes) {
    ExpectLimited(worker.Ask(ConnectTo(kLoopback, target_->port(), mode)).result());
  }
  ExpectLimited(worker.Ask(OpenChannelRequest()).result());
  EXPECT_EQ(worker.Ask(ConnectTo(kLoopback, 1)).result().outcome, Outcome::kDenied);
  GiveBack();
  for (const ConnectMode mode : kBothModes) {
    EXPECT_TRUE(worker.Ask(ConnectTo(kLoopback, target_->port(), mode)).descriptor.valid());
  }
  EXPECT_EQ(worker.Ask(OpenChannelRequest()).result().outcome, Outcome::kOpened);
  EXPECT_EQ(Stop(), 0);
  AuditLedger ledger;
  ledger.AddFile(InFolder("audit"));
  EXPECT_EQ(ledger.Fault(), "");
  EXPECT_EQ(ledger.Connects(Outcome::kLimited), 2U);
}

TEST_F(OutOfDescriptors, WhoComesByThePathWaitsAndIsServedLater) {
  TakeAll();
  TestWorker late = ReplaceWorld::ConnectToPath(path());
  const uint32_t hello = late.Send(Hello());
  const Second second(pid());
  EXPECT_LT(second.cpu, milliseconds(100)) << "it rests between two attempts";
  EXPECT_GE(second.wakeups, 3U) << "it does try again";
  EXPECT_LE(second.wakeups, 60U);
  GiveBack();
  EXPECT_EQ(late.Receive().reply.id, hello);
  EXPECT_TRUE(late.Ask(ConnectTo(kLoopback, target_->port())).descriptor.valid());
}

// A broker whose user may have few descriptors in flight.
class TooManyInFlight : public BrokerFault {
 protected:
  void SetUp() override {
    if (geteuid() != 0 || !kUser.CanBecome()) GTEST_SKIP() << "only root can be another user";
  }
  void Begin(uint32_t max_channels) {
    Role role = RoleThatAllows("test", {"127.0.0.1:*"});
    role.limits.max_channels = max_channels;
    Start(std::move(role), kUser);
    healthy_.emplace(Worker());
    hostile_.emplace(Worker());
    ASSERT_TRUE(SetDescriptorLimitAs(kUser, broker_->pid(), 64));
  }

  Result Mint() {
    Answer answer = hostile_->Ask(OpenChannelRequest());
    if (answer.descriptor.valid()) channels_.emplace_back(std::move(answer.descriptor));
    return answer.result();
  }
  // Replies that wait in the kernel, each with a socket, in a channel that this keeps.
  void Hoard() {
    ASSERT_EQ(Mint().outcome, Outcome::kOpened);
    for (int i = 0; i < kFit; ++i) channels_.back().Send(ConnectTo(kLoopback, target_->port()));
  }
  bool CanMintAgain() {
    for (int i = 0; i < 1000; ++i) {
      if (Mint().outcome == Outcome::kOpened) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }

  static constexpr int kFit = 10;
  // A user of nobody else's.
  const confine::Identity kUser = {61235, 61235};
  std::optional<TestWorker> healthy_;
  std::optional<TestWorker> hostile_;
  std::vector<TestWorker> channels_;
};

TEST_F(TooManyInFlight, AreSaidUntilTheyAreReadOrGone) {
  Begin(/*max_channels=*/16);
  for (int i = 0; i < 10; ++i) Hoard();
  std::this_thread::sleep_for(milliseconds(200));
  for (int i = 0; i < 3; ++i) {
    const Result result = healthy_->Ask(ConnectTo(kLoopback, target_->port())).result();
    if (result.outcome == Outcome::kConnected)
      GTEST_SKIP() << "the kernel does not limit this user";
    EXPECT_EQ(result.outcome, Outcome::kLimited);
    EXPECT_EQ(result.reason, Reason::kDescriptors);
    EXPECT_GT(result.retry_after_ms, 0U);
  }
  EXPECT_EQ(Mint().reason, Reason::kDescriptors);
  EXPECT_LT(Second(broker_->pid()).cpu, milliseconds(500)) << "it tries again and again";
  channels_.clear();
  std::this_thread::sleep_for(milliseconds(200));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Ask(&*healthy_), Outcome::kConnected);
  EXPECT_EQ(Ledger().Changes("violation"), 0U) << "nobody is to blame";
  ExpectWholeLog();
}

TEST_F(TooManyInFlight, AreNotHoardedInChannelsThatHaveEnded) {
  Begin(/*max_channels=*/5);
  for (uint64_t i = 1; i <= 4; ++i) {
    Hoard();
    channels_.back().SendBytes({0xff});
    ASSERT_TRUE(AwaitChange("violation", i));
  }
  EXPECT_EQ(Mint().reason, Reason::kChannels);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Ask(&*healthy_), Outcome::kConnected);
  for (int i = 0; i < kFit; ++i) EXPECT_TRUE(channels_[0].Receive().descriptor.valid());
  EXPECT_TRUE(channels_[0].Closed());
  EXPECT_TRUE(CanMintAgain()) << "once they are read";
  EXPECT_EQ(Mint().reason, Reason::kChannels);
  channels_.erase(channels_.begin() + 1);
  EXPECT_TRUE(CanMintAgain()) << "or gone";
  ExpectWholeLog();
}

TEST_F(BrokerFault, NoLocalPortLeft) {
  constexpr char kRange[] = "/proc/sys/net/ipv4/ip_local_port_range";
  std::string before;
  std::getline(std::ifstream(kRange), before);
  ASSERT_TRUE(std::ofstream(kRange) << "40000 40007" << std::flush);
  Start(RoleThatAllows("test", {"127.0.0.0/8:*"}));
  TestWorker worker = Worker();
  std::vector<UniqueFd> sockets;
  Result result;
  for (int i = 0; i < 20; ++i) {
    Answer answer = worker.Ask(ConnectTo(kLoopback, target_->port()));
    result = answer.result();
    if (result.outcome != Outcome::kConnected) break;
    sockets.push_back(std::move(answer.descriptor));
  }
  EXPECT_LE(sockets.size(), 8U);
  for (const ConnectMode mode : kBothModes) {
    result = worker.Ask(ConnectTo(kLoopback, target_->port(), mode)).result();
    EXPECT_EQ(result.outcome, Outcome::kFailed);
    EXPECT_EQ(result.error, static_cast<uint32_t>(EADDRNOTAVAIL));
  }
  EXPECT_EQ(worker.Ask(ConnectTo("127.0.0.2", target_->port())).result().outcome,
            Outcome::kConnected)
      << "the same ports are good for another address";
  for (UniqueFd& socket : sockets) CloseAtOnce(std::move(socket));
  EXPECT_EQ(Ask(&worker), Outcome::kConnected);
  std::ofstream(kRange) << before;
  ExpectWholeLog();
}

// Some ten replies fit into the kernel, some hundred requests too; the rest is the worker's trouble.
TEST_F(BrokerFault, AChannelFullInBothDirections) {
  Start(RoleThatAllows("test", {"127.0.0.1:*"}));
  TestWorker deaf = Worker();
  const uint32_t first_id = 2;
  uint32_t sent = 0;
  for (int full = 0; full < 20;) {
    const Bytes packet = Encoded(first_id + sent, ConnectTo("192.0.2.66"));
    if (deaf.SendBytes(packet) == 0) {
      ++sent;
    } else {
      ++full;
      std::this_thread::sleep_for(milliseconds(2));
    }
  }
  TestWorker healthy = Worker();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Ask(&healthy), Outcome::kConnected);
  EXPECT_LT(Second(broker_->pid()).wakeups, 20U) << "nothing can be done, so nothing is";
  for (uint32_t i = 0; i < sent; ++i) ASSERT_EQ(deaf.Receive().reply.id, first_id + i);
  ExpectWholeLog();
}

// What the stopped worker and the test know of each other.
struct Stage {
  std::atomic<int> sent{0};
  std::atomic<int> go_on{0};
};

// Within its filter, which has no sendmsg(2).
std::string AskALotAndLookUpLate(int channel, Stage* stage, uint16_t port) {
  const auto send = [channel](uint32_t id, const RequestBody& body) {
    const Bytes packet = Encoded(id, body);
    SendPacket(channel, packet, -1, Wait::kNo);
  };
  send(1, Hello());
  for (uint32_t id = 2; id <= 42; ++id) send(id, ConnectTo(kLoopback, port));
  stage->sent = 1;
  while (stage->go_on == 0) poll(nullptr, 0, 5);
  return TestWorker(UniqueFd(channel)).Closed() ? "closed" : "open";
}

TEST_F(BrokerFault, AStoppedWorkerLosesItsChannelAndNobodyElseNotices) {
  void* shared =
      mmap(nullptr, sizeof(Stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto* const stage = new (shared) Stage;
  Role role = RoleThatAllows("test", {"127.0.0.1:*"});
  role.limits.unread_patience_ms = 500;
  Start(std::move(role));
  const uint16_t port = target_->port();
  ConfinedRun stopped = ConfinedRun::Raw(
      *broker_, [&](int channel) { return AskALotAndLookUpLate(channel, stage, port); });
  for (int i = 0; i < 10'000 && stage->sent == 0; ++i) poll(nullptr, 0, 1);
  ASSERT_EQ(stage->sent, 1);
  kill(stopped.worker().pid(), SIGSTOP);
  TestWorker healthy = Worker();
  int asked = 0;
  for (; asked < 20'000 && Ledger().Changes("violation") == 0; ++asked) {
    const auto begun = steady_clock::now();
    ASSERT_EQ(Ask(&healthy), Outcome::kConnected);
    EXPECT_LT(steady_clock::now() - begun, std::chrono::seconds(1));
  }
  EXPECT_GT(asked, 1);
  EXPECT_EQ(Ledger().Changes("violation"), 1U);
  stage->go_on = 1;
  kill(stopped.worker().pid(), SIGCONT);
  EXPECT_EQ(stopped.Text(), "closed");
  ExpectWholeLog();
  munmap(shared, sizeof(Stage));
}

std::atomic<int> g_interruptions{0};

// A thousand signals a second for the calling thread, each of which interrupts the call in which it
// waits.
void InterruptThisThread() {
  struct sigaction action = {};
  action.sa_handler = [](int) { ++g_interruptions; };
  sigaction(SIGUSR1, &action, nullptr);
  sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGUSR1;
  event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
  timer_t timer = nullptr;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) return;
  const itimerspec often = {{0, 1'000'000}, {0, 1'000'000}};
  timer_settime(timer, 0, &often, nullptr);
}

TEST(InterruptedBroker, GoesOnAsIfNothingWere) {
  const auto target = SilentListener::Listen();
  const auto refusing = RefusingPort::Reserve();
  const auto full = FullListener::Fill();
  ASSERT_TRUE(target.ok() && refusing.ok() && full.ok());
  ReplaceWorld world({RoleThatAllows("test", {"127.0.0.1:*"})});
  world.StartRunning(InterruptThisThread);
  TestWorker worker = world.AddGreetedWorker("test");
  const auto end = steady_clock::now() + std::chrono::seconds(1);
  int rounds = 0;
  for (; steady_clock::now() < end; ++rounds) {
    for (const ConnectMode mode : kBothModes) {
      Answer answer = worker.Ask(ConnectTo(kLoopback, target->port(), mode));
      ASSERT_EQ(answer.result().outcome, Outcome::kConnected);
      CloseAtOnce(std::move(answer.descriptor));
      CloseAtOnce(*target->Accept(milliseconds(1000)));
    }
    const Result refused = worker.Ask(ConnectTo(kLoopback, refusing->port())).result();
    ASSERT_EQ(refused.error, static_cast<uint32_t>(ECONNREFUSED));
    ASSERT_EQ(worker.Ask(ConnectTo("192.0.2.1")).result().outcome, Outcome::kDenied);
    ASSERT_EQ(worker.Ask(OpenChannelRequest()).result().outcome, Outcome::kOpened);
  }
  // Interrupted some hundred times while it waits for a deadline.
  ConnectRequest request = ConnectTo(kLoopback, full->port());
  request.deadline_ms = 500;
  const auto begun = steady_clock::now();
  EXPECT_EQ(worker.Ask(request).result().error, static_cast<uint32_t>(ETIMEDOUT));
  EXPECT_GE(steady_clock::now() - begun, milliseconds(500));
  EXPECT_GT(g_interruptions, 300);
  world.End();
  const auto requests = static_cast<size_t>(rounds);
  EXPECT_EQ(world.Audit("decision").size(), requests * 4 + 1);
  EXPECT_EQ(world.Audit("completion").size(), requests * 3 + 1);
}

}  // namespace
}  // namespace sockgate::testing
