// A real `sockgate serve` with many workers that connect, resolve, break the protocol, stand still
// and die, while its policy changes all the time, with broken files in between. In the end nothing
// is left of them, and its log and the workers tell the same story.
//
// soak_main is the same for much longer (./test --soak). The environment variable
// SOCKGATE_SOAK_CONNECTS says how many connects there are to be.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/bench/accept_sink.h"
#include "tests/bench/child_process.h"
#include "tests/bench/name_server.h"
#include "tests/soak/audit_tail.h"
#include "tests/soak/soak_board.h"
#include "tests/soak/soak_worker.h"
#include "tests/support/loopback_tcp.h"
#include "tests/support/process_stats.h"
#include "tests/tool/command.h"
#include "tests/tool/policy_daemon.h"

namespace sockgate::soak {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::AuditLedger;

constexpr uint64_t kFewConnects = 20'000;
constexpr size_t kWorkers = 24;
constexpr size_t kAddresses = 64;
// Nobody waits longer, whatever the machine is busy with.
constexpr std::chrono::minutes kLongest(9);
constexpr milliseconds kTick(5);
constexpr milliseconds kBetweenReloads(100);
constexpr milliseconds kBetweenReports(5000);
// malloc(3) keeps an arena for each thread, and how far apart their pages lie is chance: about a
// megabyte in runs of any length. A leak of some ten bytes for each connect would be more.
constexpr size_t kSlackBytes = size_t{2} << 20;

struct Footprint {
  size_t descriptors = 0;
  size_t bytes = 0;
};

class Soak : public ::testing::Test, protected testing::PolicyDaemon {
 protected:
  void SetUp() override {
    auto names = bench::NameServer::Start();
    auto sink = bench::AcceptSink::Listen(kAddresses, bench::Acceptor::kProcess);
    ASSERT_TRUE(names.ok()) << names.status();
    ASSERT_TRUE(sink.ok()) << sink.status();
    names_.emplace(*std::move(names));
    sink_.emplace(*std::move(sink));
    for (const bench::Target& target : sink_->targets()) plan_.targets.push_back(target.endpoint);
    plan_.targets.push_back(Endpoint::Ip(*IpAddress::Parse("127.0.0.1"), refusing_->port()));
    plan_.path = path();
    WritePolicy(Policy(0));
    std::vector<std::string> options;
    const std::string help = testing::RunSockgate({"serve", "--help"}).out;
    if (absl::StrContains(help, "--threads")) options = {"--threads", "2"};
    ASSERT_TRUE(Start(options)) << StandardError();
  }

  // Every other one lets less through; every third is broken.
  std::string Policy(int number) const {
    const char* hosts = number % 2 == 0 ? "*.bench.test" : "3-1.bench.test";
    const char* ports = number % 4 < 3 ? "1024-65535" : "1024-45000";
    std::string text = absl::StrCat(
        "version = 1\n[resolver]\nservers = [\"127.0.0.1:53\"]\n[[listen]]\npath = \"", path(),
        "\"\nrole = \"soak\"\n[roles.soak]\nallow = [\n  { cidr = \"127.0.0.0/8\", ports = \"",
        ports, "\" },\n  { host = \"", hosts, "\", ports = 80, private = true },\n]\n");
    if (number % 3 == 2) absl::StrAppend(&text, "alow = [ 127.0.0.1\n");
    return text;
  }

  void StartWorker(size_t i) {
    const unsigned seed = random_();
    auto worker = bench::ChildProcess::Start(
        [&](int /*control*/) { WorkForSoak(plan_, seed, board_.slot(i)); });
    ASSERT_TRUE(worker.ok()) << worker.status();
    workers_[i] = *std::move(worker);
  }

  void StartAll() {
    for (size_t i = 0; i < kWorkers; ++i) StartWorker(i);
  }
  void KillAll() {
    for (auto& worker : workers_) worker.reset();
  }

  // Somebody dies and another comes; somebody stands still for a while.
  void Trouble() {
    const size_t i = random_() % kWorkers;
    if (stopped_.has_value()) {
      kill(workers_[*stopped_]->pid(), SIGCONT);
      stopped_.reset();
    } else if (random_() % 2 == 0) {
      workers_[i].reset();
      ++kills_;
      StartWorker(i);
    } else {
      kill(workers_[i]->pid(), SIGSTOP);
      stopped_ = i;
      ++stops_;
    }
  }

  void Reload() {
    WritePolicy(Policy(++reloads_));
    Signal(SIGHUP);
  }

  // Until so many connects are answered, all in all.
  void Run(uint64_t connects) {
    StartAll();
    auto reload_at = steady_clock::now();
    auto report_at = reload_at + kBetweenReports;
    while (board_.told(Kind::kConnect) < connects && steady_clock::now() < end_) {
      const auto now = steady_clock::now();
      Trouble();
      if (now >= reload_at) {
        Reload();
        reload_at = now + kBetweenReloads;
      }
      if (now >= report_at) {
        Report();
        report_at = now + kBetweenReports;
      }
      if (!tail_.Read()) std::this_thread::sleep_for(kTick);
      if (HasFatalFailure()) return;
    }
    stopped_.reset();
    KillAll();
  }

  void Report() const {
    std::printf("%llu connects and %llu lookups answered; %d kills, %d stops, %d policies\n",
                static_cast<unsigned long long>(board_.told(Kind::kConnect)),
                static_cast<unsigned long long>(board_.told(Kind::kLookup)), kills_, stops_,
                reloads_);
    std::fflush(stdout);
  }

  // Once a good policy is in force, nobody is left, and nothing has changed for half a second.
  Footprint Rest() {
    WritePolicy(Policy(0));
    Signal(SIGHUP);
    Footprint footprint;
    for (int unchanged = 0, i = 0; unchanged < 10 && i < 400; ++unchanged, ++i) {
      std::this_thread::sleep_for(milliseconds(50));
      const size_t descriptors = testing::OpenFdCount(pid()).value_or(0);
      if (descriptors != footprint.descriptors) unchanged = 0;
      footprint.descriptors = descriptors;
    }
    footprint.bytes = testing::ResidentBytes(pid()).value_or(0);
    tail_.ReadAll();
    return footprint;
  }

  // What the log has, in the workers' words.
  uint64_t Logged(Kind kind, Fate fate) const {
    const AuditLedger& ledger = tail_.ledger();
    uint64_t sum = 0;
    for (uint8_t i = 1; i <= static_cast<uint8_t>(Outcome::kBadRequest); ++i) {
      const auto outcome = static_cast<Outcome>(i);
      if (FateOf(outcome) != fate) continue;
      sum += kind == Kind::kConnect ? ledger.Connects(outcome) : ledger.Lookups(outcome);
    }
    return sum;
  }

  void ExpectSameStory(Kind kind) const {
    const uint64_t under_way = board_.asked(kind) - board_.told(kind);
    uint64_t untold = 0;
    for (size_t i = 0; i < kFates; ++i) {
      const auto fate = static_cast<Fate>(i);
      EXPECT_GE(Logged(kind, fate), board_.told(kind, fate)) << Word(fate);
      untold += Logged(kind, fate) - board_.told(kind, fate);
      std::printf("  %-12s %10llu in the log, %10llu told\n", Word(fate),
                  static_cast<unsigned long long>(Logged(kind, fate)),
                  static_cast<unsigned long long>(board_.told(kind, fate)));
    }
    EXPECT_LE(untold, under_way);
    std::printf("  %llu were under way when their worker died or lost its channel\n",
                static_cast<unsigned long long>(under_way));
  }

  const steady_clock::time_point end_ = steady_clock::now() + kLongest;
  std::optional<bench::NameServer> names_;
  std::optional<bench::AcceptSink> sink_;
  const absl::StatusOr<testing::RefusingPort> refusing_ = testing::RefusingPort::Reserve();
  SoakPlan plan_;
  SoakBoard board_{kWorkers};
  AuditTail tail_{InFolder("audit")};
  std::mt19937 random_{std::random_device{}()};
  std::array<std::optional<bench::ChildProcess>, kWorkers> workers_;
  std::optional<size_t> stopped_;
  int kills_ = 0;
  int stops_ = 0;
  int reloads_ = 0;
};

uint64_t WantedConnects() {
  const char* text = std::getenv("SOCKGATE_SOAK_CONNECTS");
  return text == nullptr ? kFewConnects : std::strtoull(text, nullptr, 10);
}

TEST_F(Soak, LeavesNothingBehindAndTellsOneStory) {
  const uint64_t wanted = WantedConnects();
  Run(wanted / 2);
  const Footprint before = Rest();
  Run(wanted);
  const Footprint after = Rest();
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_LE(after.bytes, before.bytes + kSlackBytes);
  EXPECT_GE(board_.told(Kind::kConnect), wanted) << "it took too long";
  EXPECT_EQ(Stop(), 0) << StandardError();
  tail_.ReadAll();
  EXPECT_EQ(tail_.rest(), "");
  EXPECT_EQ(tail_.ledger().Fault(), "");
  std::printf("connects:\n");
  ExpectSameStory(Kind::kConnect);
  std::printf("lookups:\n");
  ExpectSameStory(Kind::kLookup);
  EXPECT_GT(tail_.ledger().Changes("loaded"), 0U);
  EXPECT_GT(tail_.ledger().Changes("rejected"), 0U);
  EXPECT_GT(tail_.ledger().Changes("violation"), 0U);
  Report();
  std::printf("%llu lines in the log; descriptors %zu, then %zu; memory %zu KiB, then %zu KiB\n",
              static_cast<unsigned long long>(tail_.ledger().lines()), before.descriptors,
              after.descriptors, before.bytes / 1024, after.bytes / 1024);
}

}  // namespace
}  // namespace sockgate::soak
