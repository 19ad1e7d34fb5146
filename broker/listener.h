// Listener: a path in the file system where workers, or their launchers, get a channel by
// connect(2).
//
// Process: broker, the loop's thread. Owns the listening socket, and so the path.
// Hostile input: who connects, and how many. Whoever is none of the role's peers sees the channel
// close, and the audit log has a line: at once for the first, then one a second for all others, so
// that nobody fills the log by coming again and again. When the process is out of descriptors the
// listener rests for a moment, so that a full table does not become a busy loop.
//
// The kernel asks who may connect at connect(2), and the role is given at accept(2). So whoever
// waits while the one or the other changes is turned away: what let them in was meant for another
// role. What remains is a connect(2) that the kernel has let in, and has not put in the queue when
// the listener looks there.

#ifndef SOCKGATE_BROKER_LISTENER_H_
#define SOCKGATE_BROKER_LISTENER_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker/event_loop.h"
#include "broker/listening_socket.h"
#include "broker/policy/listen_at.h"
#include "broker/role_table.h"
#include "broker/worker_host.h"

namespace sockgate {

class Listener final : public EventHandler {
 public:
  // Binds the path and gives `role`, which is the one that `at` names, to its peers when they
  // connect. The loop and the host must outlive the listener.
  static absl::StatusOr<std::unique_ptr<Listener>> Create(const ListenAt& at, RoleSnapshot role,
                                                          EventLoop* loop, WorkerHost* host);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Another policy, in which the path is the same. Grant() comes first, since it may fail; after an
  // error a part of it may be done. Then, before the loop goes on, either Change() or Restore().
  absl::Status Grant(const ListenAt& at) const { return socket_.Grant(at); }
  // What differs in `at` and `role` hold for the next connection.
  void Change(const ListenAt& at, RoleSnapshot role);
  void Restore(const ListenAt& granted);

  // False when the path is not ours any more, so that nobody can come by it.
  bool HoldsPath() const { return socket_.HoldsPath(); }

  const ListenAt& at() const { return at_; }
  const RoleSnapshot& role() const { return role_; }

  void OnEvent(uint64_t cookie, uint32_t epoll_events) override;
  void OnDeadline(uint64_t cookie) override;

 private:
  Listener(const ListenAt& at, ListeningSocket socket, RoleSnapshot role, EventLoop* loop,
           WorkerHost* host)
      : at_(at), socket_(std::move(socket)), role_(std::move(role)), loop_(loop), host_(host) {}

  // False when there is nobody, or nobody can be accepted.
  bool AcceptOne();
  void Serve(UniqueFd channel);
  // Those who cannot be accepted now, for want of descriptors, are turned away when they can be.
  void TurnAwayWhoWaits();
  void AcceptStale();
  void Refuse(const Peer& peer, absl::string_view why);
  void TellRefused();
  void Rest();

  ListenAt at_;
  const ListeningSocket socket_;
  RoleSnapshot role_;
  EventLoop* const loop_;
  WorkerHost* const host_;
  EventLoop::Id watch_;
  EventLoop::Id rest_;
  // How many of the next ones may have connected before the last change.
  int stale_ = 0;
  // Refusals that the log does not have yet, and the last of them. They wait for `tell_`.
  uint64_t refused_ = 0;
  Peer last_refused_;
  absl::string_view last_why_;  // a word of ours
  EventLoop::Id tell_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_LISTENER_H_
