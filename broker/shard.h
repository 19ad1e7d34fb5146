// Shard: one event loop of a broker, and all that it serves.
//
// Process: broker. A worker belongs to one shard with all its channels, leases and handshakes; so
// the path of a request shares nothing with other shards but the roles, which never change, and a
// few counters. Each has a resolver of its own, and its lines of the audit log.
// Ownership: owns what its loop serves; the usage, which is the whole broker's, is lent.
// Threads: Run() in the shard's own thread, at the same time Add() and tasks() from any other. The
// rest before Run(), in a task, or in a handler of the loop.

#ifndef SOCKGATE_BROKER_SHARD_H_
#define SOCKGATE_BROKER_SHARD_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "broker/audit_log.h"
#include "broker/broker_status.h"
#include "broker/broker_usage.h"
#include "broker/event_loop.h"
#include "broker/net.h"
#include "broker/resolver/resolver_options.h"
#include "broker/resolver_link.h"
#include "broker/role_table.h"
#include "broker/server.h"
#include "broker/task_queue.h"
#include "proto/unique_fd.h"

namespace sockgate {

class Shard {
 public:
  struct Options {
    Numbering numbers = {};
    std::shared_ptr<AuditSink> audit;
    // Null: names are not resolved.
    std::unique_ptr<ResolverSupply> resolvers = nullptr;
    TtlBounds ttl = {};
  };

  static absl::StatusOr<std::unique_ptr<Shard>> Create(Options options, const RoleTable& roles,
                                                       BrokerUsage* usage);
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Called in the loop's thread after every wake-up.
  void set_after_wakeup(std::function<void()> after) { after_ = std::move(after); }

  // Another thread's way to give it a worker of a trusted launcher, or one that came by a path; it
  // is turned away if the role has changed since it was found. `role` may be unknown by then.
  void Add(UniqueFd channel, std::string role, const Peer& peer);
  // `generation`: of the policy whose role it is.
  void AddByPath(UniqueFd channel, RoleSnapshot role, uint64_t generation, PeerIdentity identity,
                 ConfinedCheck confined);

  // How many channels there are, and are on their way here. Any thread.
  size_t load() const {
    // In this order: what arrives between the two is counted twice, and not left out.
    const size_t arriving = arriving_.load();
    return arriving + channels_.load();
  }

  // The policy with this number is in force. `roles` becomes the one of before. Where the resolver that
  // it asks for cannot be had, the old one stays.
  void Adopt(uint64_t number, RoleTable* roles, const std::optional<ResolverOptions>& resolver);

  // Adds its part to what the whole broker says of itself.
  void AddTo(BrokerStatus* status) const;

  // Serves until the loop is stopped.
  void Run();

  // Nothing new is begun. finished(), from any thread: and nothing of it is left.
  void FinishUp();
  bool finished() const { return finished_.load(); }

  EventLoop* loop() { return loop_.get(); }
  TaskQueue& tasks() { return tasks_; }
  Server& server() { return server_; }
  AuditLog& audit() { return audit_; }

 private:
  Shard(Options options, const RoleTable& roles, std::unique_ptr<EventLoop> loop,
        std::unique_ptr<ResolverLink> resolver, BrokerUsage* usage);

  bool RestartResolver(const ResolverOptions& options);
  void AfterWakeup();

  AuditLog audit_;
  KernelNet net_;
  const std::unique_ptr<EventLoop> loop_;
  const std::unique_ptr<ResolverLink> resolver_;  // null: there is none
  Server server_;
  RoleTable roles_;
  TaskQueue tasks_;
  std::function<void()> after_;
  std::atomic<size_t> channels_{0};
  std::atomic<size_t> arriving_{0};
  size_t arrived_ = 0;  // of those, since the last wake-up
  uint64_t generation_ = 1;
  std::atomic<bool> finished_{false};
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_SHARD_H_
