#include "tool/fetch/fetch.h"

#include <curl/curl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "broker/broker_process.h"
#include "client/launch/pool/worker_pool.h"
#include "client/launch/trust_store.h"
#include "client/pool/transfer_limits.h"
#include "proto/fresh_child.h"
#include "tool/audit_file.h"
#include "tool/exit_status.h"
#include "tool/fetch/fetch_plan.h"
#include "tool/fetch/fetch_policy.h"
#include "tool/fetch/fetch_run.h"
#include "tool/fetch/terminal_text.h"

namespace sockgate {
namespace {

// What is wrong may have a stranger's URL in it.
int Fail(int status, absl::string_view what) {
  std::fprintf(stderr, "sockgate fetch: %s\n", TerminalLine(what).c_str());
  return status;
}

// Whom broker and workers run as where root fetches: a user without rights, if there is one.
std::optional<launch::Identity> FindNobody() {
  if (geteuid() != 0) return std::nullopt;
  auto nobody = launch::Identity::Find("nobody");
  if (!nobody.ok() || !nobody->CanBecome()) return std::nullopt;
  return *std::move(nobody);
}

// Each transfer that may be under way has a file here, and sockets in its worker.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// From here on they are read from a descriptor, which is returned; a reader of standard output that
// has seen enough is a write error.
UniqueFd CatchSignals() {
  signal(SIGPIPE, SIG_IGN);
  sigset_t ending;
  sigemptyset(&ending);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now;
    // One that is ignored, as by nohup(1), would be queued all the same.
    if (sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) continue;
    sigaddset(&ending, number);
  }
  sigprocmask(SIG_BLOCK, &ending, nullptr);
  return UniqueFd(signalfd(-1, &ending, SFD_CLOEXEC));
}

// As a shell shows what a signal has ended.
int ExitStatusOf(int stop) {
  signalfd_siginfo signal;
  if (read(stop, &signal, sizeof(signal)) != sizeof(signal)) return kExitBroker;
  return 128 + static_cast<int>(signal.ssi_signo);
}

// A terminal's Ctrl-C is also for the processes that are starting, whose end may be heard of first.
int FailToStart(int stop, const absl::Status& why) {
  pollfd entry = {stop, POLLIN, 0};
  return poll(&entry, 1, 100) == 1 ? ExitStatusOf(stop) : Fail(kExitBroker, why.message());
}

// The workers read them for themselves; that they cannot is told before anything begins.
int CheckTrust(const FetchOptions& options) {
  if (options.ca_file.empty()) return 0;
  const auto trust = launch::TrustStore::Load(options.ca_file);
  return trust.ok() ? 0 : Fail(CURLE_SSL_CACERT_BADFILE, trust.status().message());
}

absl::StatusOr<BrokerProcess> StartBroker(const FetchOptions& options, const FetchPolicy& policy,
                                          const std::optional<launch::Identity>& user) {
  auto audit = OpenAuditFile(options.audit_file);
  if (!audit.ok()) return audit.status();
  BrokerOptions broker;
  broker.roles.push_back(policy.role);
  broker.audit = *std::move(audit);
  broker.resolver = policy.resolver;
  broker.limits = policy.limits;
  broker.audit_overflow = policy.audit_overflow;
  return BrokerProcess::Start(std::move(broker), user);
}

// In connected mode libcurl cannot interrupt the broker, so its own time limits are the broker's.
// In in-progress mode they are to run out first, or the transfer would end with another status.
std::chrono::milliseconds ConnectDeadline(const FetchOptions& options) {
  const auto limit = std::chrono::duration<double>(options.ConnectLimit());
  const auto deadline = std::chrono::ceil<std::chrono::milliseconds>(limit);
  return options.mode == ConnectMode::kConnected ? deadline : deadline + std::chrono::seconds(1);
}

bool IsPlain(const FetchJob& job) {
  return absl::StartsWithIgnoreCase(job.url, "http://") ||
         absl::StartsWithIgnoreCase(job.url, "ftp://");
}

// Parsing what the system trusts takes longer than many a fetch.
bool MayNeedTrust(const FetchOptions& options, const FetchPlan& plan) {
  return options.follow || absl::StartsWithIgnoreCase(plan.request.proxy, "https://") ||
         !std::all_of(plan.jobs.begin(), plan.jobs.end(), IsPlain);
}

// All that the host can give: the filter and the lack of capabilities are there in any case.
launch::WorkerPool::Options PoolOptions(const FetchOptions& options, const FetchPlan& plan,
                                        BrokerProcess* broker, const std::string& role,
                                        const std::optional<launch::Identity>& user) {
  using launch::Need;
  launch::WorkerPool::Options pool;
  pool.channel = [broker, role] { return broker->AddWorker(role); };
  pool.workers = options.workers;
  pool.jobs = options.jobs;
  pool.max_time = kMaxTransferTime;
  pool.connecting = {options.mode, ConnectDeadline(options)};
  pool.ca_file = options.ca_file;
  pool.load_trust = MayNeedTrust(options, plan);
  pool.worker.namespaces = {Need::kIfPossible, Need::kIfPossible, Need::kIfPossible,
                            Need::kIfPossible};
  pool.worker.identity = user;
  pool.worker.streams = {launch::Stream::kNull, launch::Stream::kNull, launch::Stream::kNull};
  return pool;
}

int Run(const FetchOptions& options, const FetchPlan& plan, const FetchPolicy& policy) {
  const UniqueFd stop = CatchSignals();
  RaiseDescriptorLimit();
  const std::optional<launch::Identity> user = FindNobody();
  auto broker = StartBroker(options, policy, user);
  if (!broker.ok()) return FailToStart(stop.get(), broker.status());
  FetchRun run(options, plan, policy, stop.get());
  launch::WorkerPool::Callbacks callbacks = run.Callbacks();
  if (options.verbose) {
    const bool as_root = geteuid() == 0 && !user.has_value();
    callbacks.on_worker = [&run, as_root](absl::string_view layers) {
      run.Say(STDERR_FILENO,
              absl::StrCat("* the worker has ", layers, as_root ? ", but root's name" : ""));
    };
  }
  auto pool = launch::WorkerPool::Start(
      PoolOptions(options, plan, &*broker, policy.role.name, user), std::move(callbacks));
  if (!pool.ok()) return FailToStart(stop.get(), pool.status());
  const std::optional<int> status = run.Run(pool->get());
  return status.has_value() ? *status : ExitStatusOf(stop.get());
}

}  // namespace

int Fetch(const FetchOptions& options) {
  // Or an output file would become standard input.
  if (FillStandardStreams() != 0) return Fail(kExitBroker, "cannot open /dev/null");
  if (options.audit_file == "-") {
    return Fail(kExitUsage, "--audit: name a file; results and errors are on the standard streams");
  }
  const auto policy = FetchPolicy::Choose(options);
  if (!policy.ok()) return Fail(kExitUsage, policy.status().message());
  const auto plan = FetchPlan::Make(options);
  if (!plan.ok()) return Fail(kExitUsage, plan.status().message());
  if (const int status = CheckTrust(options); status != 0) return status;
  return Run(options, *plan, *policy);
}

}  // namespace sockgate
