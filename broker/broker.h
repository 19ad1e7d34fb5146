// Broker: the process, or the thread, that may open sockets.
//
// Usage, in a thread:
//   1. auto broker = sockgate::Broker::Create(std::move(options));
//   2. std::thread thread([&] { (*broker)->Run(); });
//   3. auto channel = (*broker)->AddWorker("fetch");   // the worker's end, for launch::Worker
//   4. (*broker)->Stop(); thread.join();
// A process of its own is safer, since the worker's launcher then shares no memory with it:
// broker_process.h.
//
// Privilege: what socket(2) and connect(2) need, which for TCP is nothing special, and what the
// roles' socket options do (socket_capabilities.h). All else is given up by EnterCage(), which is
// for a process that is nothing but a broker: it binds whatever else runs there.
// Threads: Create(), Listen(), BeatEvery() and EnterCage() before Run(); Run() once, in one thread,
// which starts the others of BrokerOptions::threads and ends them; AddWorker(), Replace(), SetLimits(),
// SetAuditOverflow(), SwapAudit(), NoteRejected(), GetStatus(), Revoke(), generation(), FinishUp() and
// Stop() from any other. The last two are async-signal-safe. Whoever waits in one of them must have
// returned before the broker is destroyed.
// Blocking: Run() serves until Stop(). No worker, name server or remote host can make it wait.
// Replace(), SwapAudit(), GetStatus() and Revoke() wait for each loop to come between two
// wake-ups; Run()'s end releases them.

#ifndef SOCKGATE_BROKER_BROKER_H_
#define SOCKGATE_BROKER_BROKER_H_

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/audit_sink.h"
#include "broker/broker_status.h"
#include "broker/broker_usage.h"
#include "broker/cage.h"
#include "broker/cage_bounds.h"
#include "broker/cage_report.h"
#include "broker/event_loop.h"
#include "broker/heartbeat.h"
#include "broker/listeners.h"
#include "broker/ordered_by.h"
#include "broker/policy/audit_overflow.h"
#include "broker/policy/broker_limits.h"
#include "broker/policy/listen_at.h"
#include "broker/policy/role.h"
#include "broker/resolver/resolver_options.h"
#include "broker/revoke_order.h"
#include "broker/role_table.h"
#include "broker/shard.h"
#include "broker/worker_host.h"
#include "confine/cage_level.h"
#include "proto/unique_fd.h"

namespace sockgate {

struct BrokerOptions {
  // At least one; names differ.
  std::vector<Role> roles;
  // Where audit lines go; nowhere if it is invalid.
  UniqueFd audit;
  AuditOverflow audit_overflow = AuditOverflow::kDeny;
  // With it the broker resolves names for its workers, by a process of its own
  // (resolver/resolver_keeper.h): Create() then forks, and wants to be the only thread. Absent:
  // resolve requests get EOPNOTSUPP, and rules on hosts match nothing.
  std::optional<ResolverOptions> resolver = std::nullopt;
  // Of EnterCage(), and of the resolver's keeper, which Create() starts, in any case.
  confine::CageLevel cage = confine::CageLevel::kIfPossible;
  // What all workers may have together.
  BrokerLimits limits = {};
  // Event loops, 1 to kMaxThreads, each with a thread, a resolver and its own share of the workers:
  // one for a core that the broker may have for itself.
  uint32_t threads = 1;
  // How long each of them looks for the next request before it sleeps, while requests come that often;
  // 0: not at all. Saves the wake-up where a processor would be idle otherwise, and takes that
  // processor from others meanwhile.
  std::chrono::microseconds spin{0};
};

class Broker final : public EventHandler, public WorkerHost {
 public:
  static constexpr uint32_t kMaxThreads = 64;
  // What FinishUp() allows for what was begun.
  static constexpr std::chrono::milliseconds kFinishTime{5000};

  static absl::StatusOr<std::unique_ptr<Broker>> Create(BrokerOptions options);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // Workers, or their launchers, may connect(2) a SOCK_SEQPACKET socket to `at.path` and get
  // `at.role`, if they are among its peers. A socket that was `inherited`, and is bound to the path
  // already, is used as it is.
  absl::Status Listen(const ListenAt& at, UniqueFd inherited = UniqueFd());

  // Has the loop's thread call `beat` from now on, once in each such time; before Run(). It must not
  // block.
  void BeatEvery(std::chrono::microseconds period, std::function<void()> beat);

  // Is called when FinishUp() begins to, in the loop's thread; before Run(). It must not block for long.
  void OnFinish(std::function<void()> begun) { on_finish_ = std::move(begun); }

  // Puts the process into its cage (cage.h), whose bounds hold for every policy from then on. Once,
  // by the only thread, after the last Listen(). With CageLevel::kNone nothing is given up, and
  // the audit log says so. After an error the process must not go on.
  absl::Status EnterCage(const CagePlaces& places = {});

  // What is in force; as before EnterCage() if it was not called.
  const CageReport& cage() const { return cage_; }

  // Makes the channel of a new worker and returns the worker's end.
  absl::StatusOr<UniqueFd> AddWorker(absl::string_view role);

  // Puts another policy in the place of the one in force: all of it or, after an error, none.
  // Between two wake-ups every worker gets the role of the same name, so that its next request is
  // judged by it; one whose role is gone, or that came by a path and is none of the role's peers
  // any more, is denied everything (Reason::kRoleRemoved) until a later policy undoes it.
  // Handshakes under way go on, but for tracked ones that it denies; tracked connections that it
  // denies are cut. `listen` is where the broker listens from then on: paths that are
  // new are bound first, those that are gone are unlinked. Where another role, mode or owner is
  // given to a path, whoever waits there to be accepted is turned away.
  // Lookups that wait are judged by the new policy and asked anew. A broker with a resolver starts
  // another one, which reads its files anew, and forgets what was found out before; without
  // `resolver` it keeps the one that it has.
  // The roles of before are destroyed in the caller's thread, which may take its time.
  // FailedPrecondition: the broker's cage has no room for it, which a restart would have.
  // `by` is for the audit log.
  // Unavailable: the broker has stopped.
  absl::Status Replace(std::vector<Role> roles, std::vector<ListenAt> listen,
                       const std::optional<ResolverOptions>& resolver = std::nullopt,
                       const OrderedBy& by = {});

  void SetLimits(const BrokerLimits& limits) { usage_.SetLimits(limits); }
  void SetAuditOverflow(AuditOverflow overflow) { sink_->set_overflow(overflow); }

  // Logs that a policy was refused, and why.
  void NoteRejected(std::string detail, const OrderedBy& by = {});

  // Has the audit log of all loops go on in `fd`, with what cannot be written where it was, which is
  // returned.
  // Unavailable: the broker has stopped.
  absl::StatusOr<UniqueFd> SwapAudit(UniqueFd fd);

  // The number of the policy in force: 1, and one more for each Replace() that succeeded.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  // Unavailable: the broker has stopped.
  absl::StatusOr<BrokerStatus> GetStatus();

  // Cuts the tracked connections that match, and ends such handshakes. How many they were. Nothing
  // keeps the workers from connecting again: for that let Replace() come first. `by` is for the
  // audit log.
  // Unavailable: the broker has stopped. NotFound: it knows no such role or worker.
  absl::StatusOr<size_t> Revoke(const RevokeOrder& order, const OrderedBy& by = {});

  // Takes orders from a launcher in another process (broker_process.h), who is trusted. When the
  // launcher goes, the broker serves the workers that it has and stops after the last.
  absl::Status FollowLauncher(UniqueFd control);

  void Run();
  void Stop();

  // Ends in good order: gives up the paths, answers every new request `limited`, and stops when the
  // last handshake and the last lookup have ended and their replies are read, or after `most`.
  void FinishUp(std::chrono::milliseconds most = kFinishTime);

  // Run() for a process that is nothing but a broker: first raises the soft limit of descriptors to
  // the hard one. At the first of these signals, also at one that was blocked until now, it finishes
  // up, with so much time for it, and at the second it stops; afterwards they are ignored.
  void RunAsProcess(std::initializer_list<int> stop_signals,
                    std::chrono::milliseconds finish = std::chrono::milliseconds(0));

  void OnEvent(uint64_t cookie, uint32_t epoll_events) override;
  void OnDeadline(uint64_t /*cookie*/) override { Stop(); }
  void AddWorkerByPath(UniqueFd channel, RoleSnapshot role, PeerIdentity identity,
                       ConfinedCheck confined) override;
  Reason WhyNoWorker(const Role& role) override;
  void RefuseWorker(RoleSnapshot role, const Peer& peer, absl::string_view why) override;

 private:
  Broker(RoleTable roles, const std::optional<ResolverOptions>& resolver_options,
         confine::CageLevel level);

  absl::Status AddShards(BrokerOptions options,
                         std::vector<std::unique_ptr<ResolverSupply>> resolvers);
  void RaiseDescriptorLimit();
  bool HasRole(absl::string_view name);
  // The shard that has the least to do. Its first thread is the one of listeners and launcher.
  Shard* Choose() const;
  Shard* first() const { return shards_.front().get(); }
  void Place(UniqueFd channel, std::string role, const Peer& peer);
  // In the first shard's thread. On success `roles` are the old ones.
  absl::Status Apply(RoleTable* roles, const std::vector<ListenAt>& listen,
                     const std::optional<ResolverOptions>& resolver, const OrderedBy& by);
  std::vector<ListenAt> ListensAt() const;
  void Beat(const std::function<void()>& beat);
  void AfterWakeup();
  void BeginToFinish();
  bool AllOf(bool (*is)(const Shard&)) const;

  const confine::CageLevel cage_level_;
  const std::optional<ResolverOptions> first_resolver_;  // that the keeper was started with
  CageReport cage_;
  std::optional<CageBounds> bounds_;  // set before any other thread is there, and not changed
  const std::chrono::system_clock::time_point started_;
  const TimePoint started_steady_;
  ProcessGauge process_;
  BrokerUsage usage_{{[this] { return process_.ResidentBytes(); }, AllocatedBytes}};
  std::shared_ptr<AuditSink> sink_;
  std::vector<std::unique_ptr<Shard>> shards_;  // at least one
  std::optional<Listeners> listeners_;          // of the first shard's loop
  std::optional<Heartbeat> heartbeat_;          // likewise
  uint32_t beats_asked_ = 0;
  std::atomic<uint32_t> beats_answered_{0};
  UniqueFd control_;
  EventLoop::Id control_watch_;
  pid_t launcher_ = 0;
  std::atomic<bool> launcher_gone_{false};
  // Milliseconds, or -1: nobody has asked for it.
  std::atomic<int64_t> finish_within_{-1};
  bool finishing_ = false;
  std::function<void()> on_finish_;
  EventLoop::Id finish_latest_;
  std::mutex replacing_;

  std::mutex roles_mutex_;
  // While the loops run the first one's thread alone changes it, under roles_mutex_, which all others
  // need to read it.
  RoleTable roles_;
  std::atomic<uint64_t> generation_ = 1;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_BROKER_H_
