// Server: all sessions and workers of one event loop.
//
// Process: broker, the loop's thread. Owns the sessions and the connector; the loop, the net, the
// log and the usage, which is the whole broker's, are lent and must outlive it.

#ifndef SOCKGATE_BROKER_SERVER_H_
#define SOCKGATE_BROKER_SERVER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "broker/audit_log.h"
#include "broker/backlog.h"
#include "broker/broker_usage.h"
#include "broker/confined_check.h"
#include "broker/connect_desk.h"
#include "broker/connection_tracker.h"
#include "broker/connector.h"
#include "broker/event_loop.h"
#include "broker/lingering_channels.h"
#include "broker/look_budget.h"
#include "broker/lookup_desk.h"
#include "broker/net.h"
#include "broker/revoke_order.h"
#include "broker/role_metrics.h"
#include "broker/role_table.h"
#include "broker/session.h"
#include "broker/worker_host.h"
#include "broker/worker_record.h"

namespace sockgate {

// Workers and channels have numbers; several servers of one broker share them out.
struct Numbering {
  uint64_t first = 1;
  uint64_t step = 1;
};

class Server final : public SessionHost,
                     public WorkerHost,
                     public ConnectObserver,
                     public LookupObserver,
                     public EventHandler {
 public:
  Server(EventLoop* loop, Net* net, AuditLog* audit, BrokerUsage* usage,
         const NameServing& names = {}, Numbering numbers = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves a new worker of a trusted launcher, whose first channel this is.
  void AddWorker(UniqueFd channel, RoleSnapshot role, const Peer& peer);

  void AddWorkerByPath(UniqueFd channel, RoleSnapshot role, PeerIdentity identity,
                       ConfinedCheck confined) override;
  Reason WhyNoWorker(const Role& role) override;
  void RefuseWorker(RoleSnapshot role, const Peer& peer, absl::string_view why) override;

  // Every worker gets the role of the same name, for its next request, or loses it
  // (RoleTable::Removed), because it is gone or the worker came by a path and is none of its peers
  // any more. Tracked connections that it denies are cut, and their handshakes end. Only where
  // AfterWakeup() may be called: no role of before is held when it returns. With `renewed`, what was
  // found out about names is forgotten, for the source may answer otherwise from now on.
  void Adopt(const RoleTable& roles, const TtlBounds* renewed = nullptr);

  // Cuts the tracked connections that match and ends such handshakes; says how many they were.
  // Where Adopt() may be called. `met` learns whom of the order this server serves.
  size_t Revoke(const RevokeOrder& order, RevokeOrder::Met* met);

  // Who is served, by the name of the role.
  struct Crowd {
    RoleSnapshot role;
    size_t workers = 0;
    size_t channels = 0;
    size_t pending = 0;
    size_t unread = 0;
    size_t tracked = 0;
    RoleMetrics metrics;
  };
  std::map<std::string, Crowd> Crowds() const;

  // From now on requests are answered `limited`, and what was begun goes on to its end.
  void FinishUp() { stopping_ = true; }
  // Nothing of it is left.
  bool finished() const;

  // To be called by the loop after every wake-up: deletes what has ended, and sees to the audit
  // log.
  void AfterWakeup();

  size_t channels() const { return sessions_.size(); }
  // That wait for the source.
  size_t questions() const { return lookups_ == nullptr ? 0 : lookups_->questions(); }
  CacheCounts cache() const { return lookups_ == nullptr ? CacheCounts() : lookups_->cache(); }
  LookBudget& looks() { return looks_; }

  Result MintChannel(const std::shared_ptr<WorkerRecord>& worker, UniqueFd* worker_end) override;
  bool stopping() const override { return stopping_; }
  void EndSession(Session* session) override;
  void OnConnectEnd(const Attempt& attempt, Progress progress, int error, UniqueFd socket) override;
  void OnLookupEnd(const Lookup& lookup, const LookupEnd& end) override;
  void OnEvent(uint64_t cookie, uint32_t epoll_events) override;
  void OnDeadline(uint64_t cookie) override;

 private:
  void Greet(const std::shared_ptr<WorkerRecord>& worker, UniqueFd channel);
  Reason WhyNoWorker(const Role& role, const RoleUsage& usage);
  RoleMetrics* MetricsOf(const std::string& role);
  // Nothing of a channel is left.
  static void ForgetChannel(WorkerRecord* worker);
  uint64_t NextNumber(uint64_t* last) const;
  // Notes whether the role, another than before, is for the worker.
  bool StillAdmits(const Role& role, WorkerRecord* worker, uint64_t channel);
  size_t CutTracked(absl::FunctionRef<bool(const Attempt&)> matches, ConnectionEnd::By by);
  int AddSession(const std::shared_ptr<WorkerRecord>& worker, UniqueFd channel,
                 Session::Phase phase);

  EventLoop* const loop_;
  AuditLog* const audit_;
  BrokerUsage* const usage_;
  const Numbering numbers_;
  LookBudget looks_;
  Backlog backlog_;
  Connector connector_;
  ConnectionTracker tracker_;
  ConnectDesk connects_;
  std::unique_ptr<LookupDesk> lookups_;  // null: this broker resolves nothing
  LingeringChannels lingering_;
  uint64_t last_worker_ = 0;
  uint64_t last_channel_ = 0;
  bool stopping_ = false;
  std::map<std::string, std::unique_ptr<RoleMetrics>> metrics_;  // by the name of the role
  absl::flat_hash_map<uint64_t, std::unique_ptr<Session>> sessions_;
  std::vector<std::unique_ptr<Session>> ended_;
  EventLoop::Id flush_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_SERVER_H_
