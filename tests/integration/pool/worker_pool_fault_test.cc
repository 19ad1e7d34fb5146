// A pool whose workers crash, hang, lie or cannot be started: who is blamed, and that nobody else
// pays for it.

#include <errno.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/launch/pool/worker_pool.h"
#include "tests/integration/confined.h"
#include "tests/integration/pool/pool_run.h"
#include "tests/integration/server_process.h"
#include "tests/support/byte_pattern.h"
#include "tests/support/process_stats.h"

namespace sockgate::testing {
namespace {

using launch::WorkerPool;

// Counts in all processes.
class SharedCount {
 public:
  SharedCount()
      : count_(new (mmap(nullptr, sizeof(*count_), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0)) std::atomic<int>(0)) {}
  ~SharedCount() { munmap(count_, sizeof(*count_)); }
  SharedCount(const SharedCount&) = delete;
  SharedCount& operator=(const SharedCount&) = delete;

  std::atomic<int>& operator*() const { return *count_; }

 private:
  std::atomic<int>* count_;
};

// As an old kernel, or a container's filter.
void ForbidPidfds() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {4, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    _exit(2);
  }
}

class WorkerPoolFaultTest : public ::testing::Test {
 protected:
  // `count` that are well, each of a size of its own.
  std::map<TransferId, size_t> AddWell(PoolRun* run, size_t count) const {
    std::map<TransferId, size_t> sizes;
    for (size_t i = 0; i < count; ++i) {
      sizes[run->Add(server_.Url(absl::StrCat("/bytes/", 50000 + i)))] = 50000 + i;
    }
    return sizes;
  }

  static void ExpectWell(PoolRun* run, const std::map<TransferId, size_t>& sizes) {
    for (const auto& [id, size] : sizes) {
      const Fetched& fetched = (*run)[id];
      EXPECT_TRUE(fetched.result.ok()) << id << ": " << fetched.result.text;
      EXPECT_TRUE(fetched.body == PatternBytes(size)) << id;
      EXPECT_EQ(fetched.results, 1) << id;
      EXPECT_EQ(fetched.restarts, static_cast<int>(fetched.result.attempts) - 1) << id;
    }
  }

  // Fetches `url` among twenty that are well, which all arrive. What became of it.
  TransferResult FetchAmongOthers(const std::string& url, WorkerPool::Options options) {
    PoolRun run(std::move(options));
    std::map<TransferId, size_t> well = AddWell(&run, 10);
    const TransferId id = run.Add(url);
    well.merge(AddWell(&run, 10));
    EXPECT_TRUE(run.Run().ok());
    ExpectWell(&run, well);
    EXPECT_EQ(run[id].results, 1);
    return run[id].result;
  }

  std::string Doing(absl::string_view what) const {
    return server_.Url(absl::StrCat("/status/204?do=", what));
  }

  ServerProcess server_{LoopbackServer::Options()};
  BrokerProcess broker_ = StartBroker({"127.0.0.1:*"});
};

TEST_F(WorkerPoolFaultTest, TheUrlThatCrashesItsWorkerIsTriedTwiceAndReported) {
  const SharedCount begun;
  int channels = 0;
  WorkerPool::Options options = PoolOptions(broker_, 2, 5, &channels);
  options.on_begin = [&](CURL* easy, TransferId id) {
    const char* url = nullptr;
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    if (absl::StrContains(url, "?do=trap")) ++*begun;
    Misbehave(easy, id);
  };
  const TransferResult result = FetchAmongOthers(Doing("trap"), std::move(options));
  EXPECT_EQ(result.effective_url, Doing("trap"));
  EXPECT_EQ(result.fate, Fate::kCrashed);
  EXPECT_EQ(result.signal, SIGILL);
  EXPECT_EQ(result.text, "the worker was ended by signal 4 (Illegal instruction)");
  EXPECT_EQ(result.attempts, 2U);
  EXPECT_EQ(*begun, 2);
  EXPECT_LE(channels, 4);  // two, and one for each crash
}

TEST_F(WorkerPoolFaultTest, ACallThatTheFilterForbidsIsACrashThatSaysSo) {
  const TransferResult result = FetchAmongOthers(Doing("call"), PoolOptions(broker_, 2, 5));
  EXPECT_EQ(result.fate, Fate::kCrashed);
  EXPECT_EQ(result.signal, SIGSYS);
  EXPECT_TRUE(absl::StrContains(result.text, "its filter's")) << result.text;
}

TEST_F(WorkerPoolFaultTest, InNamespacesOfItsOwnAWorkerIsBlamedForTheSame) {
  using launch::Need;
  WorkerPool::Options options = PoolOptions(broker_, 1, 5);
  options.worker.namespaces = {Need::kIfPossible, Need::kIfPossible, Need::kIfPossible,
                               Need::kIfPossible};
  const TransferResult result = FetchAmongOthers(Doing("trap"), std::move(options));
  EXPECT_EQ(result.fate, Fate::kCrashed);
  EXPECT_EQ(result.signal, SIGILL);
}

TEST_F(WorkerPoolFaultTest, AWorkerThatEndsByItselfIsACrash) {
  const TransferResult result = FetchAmongOthers(Doing("exit"), PoolOptions(broker_, 1, 4));
  EXPECT_EQ(result.fate, Fate::kCrashed);
  EXPECT_EQ(result.signal, 0);
  EXPECT_EQ(result.text, "the worker ended with code 7");
}

TEST_F(WorkerPoolFaultTest, AWorkerThatHangsIsEnded) {
  WorkerPool::Options options = PoolOptions(broker_, 2, 5);
  options.grace = std::chrono::milliseconds(200);
  PoolRun run(std::move(options));
  std::map<TransferId, size_t> well = AddWell(&run, 10);
  Transfer transfer;
  transfer.url = Doing("hang");
  transfer.max_time = std::chrono::milliseconds(200);
  const TransferId id = run.Add(transfer);
  well.merge(AddWell(&run, 10));
  ASSERT_TRUE(run.Run().ok());
  ExpectWell(&run, well);
  EXPECT_EQ(run[id].result.fate, Fate::kHung);
  EXPECT_EQ(run[id].result.text, "the worker did not answer in time");
  EXPECT_EQ(run[id].result.attempts, 2U);
}

TEST_F(WorkerPoolFaultTest, AWorkerThatWasStoppedWithItsLauncherDoesNotHang) {
  const SharedCount begun;
  WorkerPool::Options options = PoolOptions(broker_, 1, 1);
  options.grace = std::chrono::milliseconds(500);
  options.on_begin = [&](CURL*, TransferId) { ++*begun; };
  PoolRun run(std::move(options));
  Transfer transfer;
  transfer.url = server_.Url("/slow/60000");
  transfer.max_time = std::chrono::milliseconds(200);
  const TransferId id = run.Add(transfer);
  while (*begun == 0) ASSERT_TRUE(run.pool().Poll(std::chrono::milliseconds(5)).ok());
  const pid_t worker = ChildrenOf(NurseryPid()).at(0);
  kill(worker, SIGSTOP);
  usleep(750000);
  EXPECT_TRUE(run.pool().Poll(std::chrono::milliseconds(0)).ok());
  ASSERT_EQ(run[id].results, 0);
  kill(worker, SIGCONT);
  ASSERT_TRUE(run.Run().ok());
  EXPECT_EQ(run[id].result.fate, Fate::kEnded) << run[id].result.text;
  EXPECT_EQ(run[id].result.code, static_cast<uint32_t>(CURLE_OPERATION_TIMEDOUT));
  EXPECT_EQ(run[id].result.attempts, 1U);
}

TEST_F(WorkerPoolFaultTest, AWorkerThatClosesItsStreamAndLivesOnIsEnded) {
  WorkerPool::Options options = PoolOptions(broker_, 2, 5);
  options.grace = std::chrono::milliseconds(200);
  const TransferResult result = FetchAmongOthers(Doing("shut"), std::move(options));
  EXPECT_EQ(result.fate, Fate::kMisbehaved);
  EXPECT_EQ(result.text, "the worker closed its stream and lived on");
}

TEST_F(WorkerPoolFaultTest, AWorkerThatSaysWhatItMayNotIsEnded) {
  const std::map<std::string, std::string> faults = {
      {"type", "type"},
      {"order", "type"},
      {"length", "length"},
      {"noise", ""},
      {"foreign", "a transfer that is not its own"},
      {"headless", "a body without a head"},
      {"heads", "a second head"},
      {"result", ""},
      {"cancelled", "a cancellation of its own"},
      {"large", "too large a body"},
  };
  PoolRun run(PoolOptions(broker_, 2, 3));
  std::map<TransferId, size_t> well;
  std::map<std::string, TransferId> ids;
  for (const auto& [deed, fault] : faults) {
    well.merge(AddWell(&run, 3));
    Transfer transfer;
    transfer.url = Doing(deed);
    transfer.max_filesize = 10;
    ids[deed] = run.Add(transfer);
  }
  ASSERT_TRUE(run.Run().ok());
  ExpectWell(&run, well);
  for (const auto& [deed, fault] : faults) {
    SCOPED_TRACE(deed);
    const TransferResult& result = run[ids[deed]].result;
    EXPECT_EQ(result.fate, Fate::kMisbehaved);
    const std::string text = absl::StrCat("the worker sent what it may not: ", fault);
    EXPECT_TRUE(absl::StartsWith(result.text, text)) << result.text;
    EXPECT_EQ(result.attempts, 2U);
  }
}

TEST_F(WorkerPoolFaultTest, ManyCulpritsAreAllFound) {
  PoolRun run(PoolOptions(broker_, 3, 10));
  std::map<TransferId, size_t> well;
  std::vector<TransferId> culprits;
  for (int i = 0; i < 6; ++i) {
    well.merge(AddWell(&run, 8));
    culprits.push_back(run.Add(Doing(i % 2 == 0 ? "trap" : "noise")));
  }
  ASSERT_TRUE(run.Run().ok());
  ExpectWell(&run, well);
  for (size_t i = 0; i < culprits.size(); ++i) {
    EXPECT_EQ(run[culprits[i]].result.fate, i % 2 == 0 ? Fate::kCrashed : Fate::kMisbehaved);
    EXPECT_EQ(run[culprits[i]].result.attempts, 2U);
  }
}

TEST_F(WorkerPoolFaultTest, WhatIsNotIdempotentIsNotRepeated) {
  PoolRun run(PoolOptions(broker_, 1, 4));
  Transfer post;
  post.url = server_.Url("/slow/60000");
  post.body = "once";
  const TransferId posted = run.Add(post);
  const TransferId culprit = run.Add(Doing("trap"));
  ASSERT_TRUE(run.Run().ok());
  EXPECT_EQ(run[posted].result.fate, Fate::kInterrupted);
  EXPECT_EQ(run[posted].result.attempts, 1U);
  EXPECT_EQ(run[culprit].result.fate, Fate::kCrashed);
}

TEST_F(WorkerPoolFaultTest, TransfersOfAWorkerThatSomebodyKillsAreRepeated) {
  PoolRun run(PoolOptions(broker_, 1, 4));
  const TransferId id = run.Add(server_.Url("/bytes/8000000"));
  bool killed = false;
  run.on_body = [&](TransferId, absl::string_view) {
    if (!killed) kill(ChildrenOf(NurseryPid()).at(0), SIGKILL);
    killed = true;
  };
  ASSERT_TRUE(run.Run().ok());
  ExpectWell(&run, {{id, 8000000}});
  EXPECT_EQ(run[id].result.attempts, 2U);
}

TEST_F(WorkerPoolFaultTest, ATransferThatIsCancelledWhileItsWorkerHangsIsCancelled) {
  const SharedCount begun;
  WorkerPool::Options options = PoolOptions(broker_, 1, 1);
  options.grace = std::chrono::milliseconds(100);
  options.on_begin = [&](CURL* easy, TransferId id) {
    ++*begun;
    Misbehave(easy, id);
  };
  PoolRun run(std::move(options));
  const TransferId id = run.Add(Doing("hang"));
  ASSERT_TRUE(run.RunUntil([&] { return *begun == 1; }));
  EXPECT_TRUE(run.pool().Cancel(id));
  ASSERT_TRUE(run.Run().ok());
  EXPECT_EQ(run[id].result.fate, Fate::kCancelled);
  EXPECT_EQ(*begun, 1);
}

TEST_F(WorkerPoolFaultTest, WithoutChannelsThereIsNoWorkerAndLaterThereIs) {
  bool there = false;
  WorkerPool::Options options = PoolOptions(broker_, 2, 2);
  options.channel = [&]() -> absl::StatusOr<UniqueFd> {
    if (!there) return absl::UnavailableError("the broker is out");
    return broker_.AddWorker("test");
  };
  PoolRun run(std::move(options));
  const TransferId before = run.Add(server_.Url("/hello"));
  ASSERT_TRUE(run.Run().ok());
  EXPECT_EQ(run[before].result.fate, Fate::kNoWorker);
  EXPECT_EQ(run[before].result.text, "no worker could be started: the broker is out");
  there = true;
  const TransferId after = run.Add(server_.Url("/hello"));
  ASSERT_TRUE(run.Run().ok());
  EXPECT_TRUE(run[after].result.ok()) << run[after].result.text;
}

TEST_F(WorkerPoolFaultTest, AWorkerThatTheBrokerRefusesSaysWhy) {
  WorkerPool::Options options = PoolOptions(broker_, 1, 2);
  options.channel = [&] { return broker_.AddWorker("nobody"); };
  PoolRun run(std::move(options));
  const TransferId id = run.Add(server_.Url("/hello"));
  ASSERT_TRUE(run.Run().ok());
  EXPECT_EQ(run[id].result.fate, Fate::kNoWorker);
  EXPECT_TRUE(absl::StrContains(run[id].result.text, "broker")) << run[id].result.text;
}

TEST_F(WorkerPoolFaultTest, AWorkerWhoseBrokerHasGoneIsReplaced) {
  BrokerProcess* broker = &broker_;
  WorkerPool::Options options = PoolOptions(broker_, 1, 2);
  options.channel = [&] { return broker->AddWorker("test"); };
  PoolRun run(std::move(options));
  const TransferId before = run.Add(server_.Url("/hello"));
  ASSERT_TRUE(run.Run().ok());
  BrokerProcess next = StartBroker({"127.0.0.0/8:*"});
  broker_.Stop();
  broker = &next;
  const TransferId during = run.Add("http://127.0.0.2:1/");
  ASSERT_TRUE(run.Run().ok());
  const TransferId after = run.Add(server_.Url("/bytes/10"));
  ASSERT_TRUE(run.Run().ok());
  EXPECT_TRUE(run[before].result.ok());
  EXPECT_EQ(run[during].result.error.kind, ConnectError::Kind::kBrokerGone);
  EXPECT_TRUE(run[after].result.ok()) << run[after].result.text;
}

TEST_F(WorkerPoolFaultTest, WithoutPidfdsThereIsNoPool) {
  const auto start = [&] {
    ForbidPidfds();
    const auto pool = WorkerPool::Start(PoolOptions(broker_, 1, 1), {});
    std::cerr << pool.status();
    _exit(pool.ok() ? 1 : 0);
  };
  EXPECT_EXIT(start(), ::testing::ExitedWithCode(0), "a pool needs pidfd_open");
}

TEST_F(WorkerPoolFaultTest, WithoutItsNurseryAPoolEndsAllAndSaysSo) {
  PoolRun run(PoolOptions(broker_, 2, 2));
  std::vector<TransferId> ids;
  ids.reserve(6);
  for (int i = 0; i < 6; ++i) ids.push_back(run.Add(server_.Url("/slow/60000")));
  ASSERT_TRUE(run.pool().Poll(std::chrono::milliseconds(100)).ok());
  kill(NurseryPid(), SIGKILL);
  EXPECT_TRUE(absl::IsUnavailable(run.Run()));
  for (const TransferId id : ids) {
    EXPECT_EQ(run[id].result.fate, Fate::kNoWorker);
    EXPECT_EQ(run[id].results, 1);
  }
  EXPECT_TRUE(run.pool().idle());
  Transfer transfer;
  transfer.url = server_.Url("/hello");
  EXPECT_TRUE(absl::IsUnavailable(run.pool().Add(transfer).status()));
}

TEST_F(WorkerPoolFaultTest, NothingIsLeftOfWorkersThatCrashed) {
  const size_t descriptors = *OpenFdCount(getpid());
  const std::vector<pid_t> children = ChildrenOf(getpid());
  {
    PoolRun run(PoolOptions(broker_, 2, 2));
    for (int i = 0; i < 6; ++i) run.Add(Doing("trap"));
    ASSERT_TRUE(run.Run().ok());
    EXPECT_LE(ChildrenOf(NurseryPid()).size(), 2U);
    EXPECT_LE(*OpenFdCount(NurseryPid()), 8U);
  }
  EXPECT_EQ(*OpenFdCount(getpid()), descriptors);
  EXPECT_EQ(ChildrenOf(getpid()), children);
}

}  // namespace
}  // namespace sockgate::testing
