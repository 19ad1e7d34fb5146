// Server: all sessions and workers of one event loop.
//
// Process: broker, the loop's thread. Owns the sessions and the connector; the loop, the net and
// the log are lent and must outlive it.

#ifndef SOCKGATE_BROKER_SERVER_H_
#define SOCKGATE_BROKER_SERVER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "broker/audit_log.h"
#include "broker/connector.h"
#include "broker/event_loop.h"
#include "broker/net.h"
#include "broker/session.h"
#include "broker/worker_record.h"

namespace sockgate {

class Server final : public SessionHost, public ConnectObserver, public EventHandler {
 public:
  Server(EventLoop* loop, Net* net, AuditLog* audit);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves a new worker whose first channel this is. `role` must outlive the server.
  void AddWorker(UniqueFd channel, const Role* role, const Peer& peer);

  // To be called by the loop after every wake-up: deletes what has ended, and sees to the audit
  // log.
  void AfterWakeup();

  size_t channels() const { return sessions_.size(); }

  Result MintChannel(const std::shared_ptr<WorkerRecord>& worker, UniqueFd* worker_end) override;
  void EndSession(Session* session) override;
  void OnConnectEnd(const Attempt& attempt, Progress progress, int error, UniqueFd socket) override;
  void OnEvent(uint64_t cookie, uint32_t epoll_events) override;
  void OnDeadline(uint64_t cookie) override;

 private:
  int AddSession(const std::shared_ptr<WorkerRecord>& worker, UniqueFd channel,
                 Session::Phase phase);

  EventLoop* const loop_;
  AuditLog* const audit_;
  Connector connector_;
  uint64_t last_worker_ = 0;
  uint64_t last_channel_ = 0;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Session>> sessions_;
  std::vector<std::unique_ptr<Session>> ended_;
  EventLoop::Id flush_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_SERVER_H_
