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
// Threads: Create(), Listen(), BeatEvery() and EnterCage() before Run(); Run() once, in one thread;
// AddWorker(), Replace(), NoteRejected(), SwapAudit(), SetAuditOverflow(), GetStatus(), generation()
// and Stop() from any other. Stop() is async-signal-safe.
// Whoever waits in one of them must have returned before the broker is destroyed.
// Blocking: Run() serves until Stop(). No worker, name server or remote host can make it wait.
// Replace(), SwapAudit(), SetAuditOverflow() and GetStatus() wait for the loop to come between two
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
#include "broker/audit_log.h"
#include "broker/broker_status.h"
#include "broker/cage.h"
#include "broker/cage_bounds.h"
#include "broker/cage_report.h"
#include "broker/event_loop.h"
#include "broker/heartbeat.h"
#include "broker/listeners.h"
#include "broker/net.h"
#include "broker/ordered_by.h"
#include "broker/policy/audit_overflow.h"
#include "broker/policy/listen_at.h"
#include "broker/policy/role.h"
#include "broker/resolver/resolver_options.h"
#include "broker/resolver_link.h"
#include "broker/role_table.h"
#include "broker/server.h"
#include "broker/task_queue.h"
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
};

class Broker final : public EventHandler {
 public:
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
  // Handshakes under way go on. `listen` is where the broker listens from then on: paths that are
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

  // Logs that a policy was refused, and why.
  void NoteRejected(std::string detail, const OrderedBy& by = {});

  // Has the audit log go on in `fd`, with what cannot be written where it was, which is returned.
  // Unavailable: the broker has stopped.
  absl::StatusOr<UniqueFd> SwapAudit(UniqueFd fd);

  // Unavailable: the broker has stopped.
  absl::Status SetAuditOverflow(AuditOverflow overflow);

  // The number of the policy in force: 1, and one more for each Replace() that succeeded.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  // Unavailable: the broker has stopped.
  absl::StatusOr<BrokerStatus> GetStatus();

  // Takes orders from a launcher in another process (broker_process.h), who is trusted. When the
  // launcher goes, the broker serves the workers that it has and stops after the last.
  absl::Status FollowLauncher(UniqueFd control);

  void Run();
  void Stop();

  // Run() for a process that is nothing but a broker: first raises the soft limit of descriptors to
  // the hard one, and stops at these signals, also at one that was blocked until now; afterwards they
  // are ignored.
  void RunAsProcess(std::initializer_list<int> stop_signals);

  void OnEvent(uint64_t cookie, uint32_t epoll_events) override;
  void OnDeadline(uint64_t /*cookie*/) override {}

 private:
  Broker(RoleTable roles, UniqueFd audit, std::unique_ptr<EventLoop> loop,
         std::unique_ptr<ResolverLink> resolver,
         const std::optional<ResolverOptions>& resolver_options, confine::CageLevel level);

  bool HasRole(absl::string_view name);
  // In the loop's thread. On success `roles` are the old ones.
  absl::Status Apply(RoleTable* roles, const std::vector<ListenAt>& listen,
                     const std::optional<ResolverOptions>& resolver, const OrderedBy& by);
  // False: the one of before stays, if there is one.
  bool RestartResolver(const ResolverOptions& options);
  BrokerStatus MakeStatus() const;
  std::vector<ListenAt> ListensAt() const;
  void AfterWakeup();

  const confine::CageLevel cage_level_;
  const std::optional<ResolverOptions> first_resolver_;  // that the keeper was started with
  CageReport cage_;
  std::optional<CageBounds> bounds_;  // set before any other thread is there, and not changed
  AuditLog audit_;
  KernelNet net_;
  const std::unique_ptr<EventLoop> loop_;
  const std::unique_ptr<ResolverLink> resolver_;  // null: there is none
  Server server_;
  Listeners listeners_;
  std::optional<Heartbeat> heartbeat_;
  UniqueFd control_;
  EventLoop::Id control_watch_;
  pid_t launcher_ = 0;
  bool launcher_gone_ = false;

  std::mutex roles_mutex_;
  // While the loop runs its thread alone changes it, under roles_mutex_, which all others need to
  // read it.
  RoleTable roles_;
  std::atomic<uint64_t> generation_ = 1;
  TaskQueue tasks_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_BROKER_H_
