// ConnectionTracker: keeps a duplicate of every connection whose role asks for it (Role::track),
// until it has ended: to log what went over it and who ended it, and to cut it.
//
// Process: broker, the loop's thread. Never blocks. Data costs it no wake-up: the end does, and,
// where it comes first, the peer's FIN.
// Ownership: the duplicates, and they are all that it costs. Loop, net and log are lent and must
// outlive the tracker. To cut is to shut the socket down, which is then over for the worker too,
// whose own duplicates do not matter.
// The FIN: while there is a duplicate here, a close(2) in the worker sends none. So the reply tells
// the worker that the socket is tracked (ConnectReply::tracked), and it shuts the socket down first.
// Hostile input: the worker. One that closes without that keeps the connection open and counted
// against its own Limits::max_connections, until the peer has closed it (see below), it is too old
// or the worker goes. One that has the socket report errors without an end loses it.
// An honest one may do so, too: libcurl 7.88 closes the losers of Happy Eyeballs without a word, and
// a full descriptor table drops what is passed. So when the peer has closed its half, and the worker
// has sent nothing more for kHalfOpenPatience, the connection is cut: nobody holds it, or nobody
// cares.
// Failure: what cannot be watched is cut, and never goes on untracked.

#ifndef SOCKGATE_BROKER_CONNECTION_TRACKER_H_
#define SOCKGATE_BROKER_CONNECTION_TRACKER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "broker/audit_log.h"
#include "broker/connection_end.h"
#include "broker/connector.h"
#include "broker/event_loop.h"
#include "broker/net.h"
#include "broker/worker_record.h"
#include "proto/unique_fd.h"

namespace sockgate {

class ConnectionTracker final : public EventHandler {
 public:
  static constexpr std::chrono::milliseconds kHalfOpenPatience{60'000};

  ConnectionTracker(EventLoop* loop, Net* net, AuditLog* audit,
                    std::chrono::milliseconds half_open_patience = kHalfOpenPatience)
      : loop_(loop), net_(net), audit_(audit), half_open_patience_(half_open_patience) {}
  ~ConnectionTracker() { Stop(); }
  ConnectionTracker(const ConnectionTracker&) = delete;
  ConnectionTracker& operator=(const ConnectionTracker&) = delete;

  // Takes the socket of a TCP connection that this attempt made. Its number may be lent to the
  // worker until the loop goes on. An errno if it cannot be watched; it is cut and closed then.
  int Track(const Attempt& attempt, UniqueFd socket);

  // Cuts the connections of the worker, which is gone.
  void EndWorker(const WorkerRecord* worker);

  // Cuts those that match, and says how many they were.
  size_t Cut(absl::FunctionRef<bool(const Attempt&)> matches, ConnectionEnd::By by);

  // The workers have other roles: lets go of what they do not track any more, and measures ages
  // by them.
  void Adopt();

  // Lets go of all: the broker stops, the transfers go on.
  void Stop();

  void OnEvent(uint64_t cookie, uint32_t epoll_events) override;
  void OnDeadline(uint64_t cookie) override;

 private:
  struct Connection {
    Attempt attempt;
    UniqueFd socket;
    TimePoint begun;
    EventLoop::Id watch;
    EventLoop::Id deadline;  // the earlier of the two below
    TimePoint too_old = TimePoint::max();
    TimePoint too_quiet = TimePoint::max();  // not before the peer's FIN
    // How it stood when the peer's FIN had come, if that was first; bytes_sent is from the last
    // look since.
    std::optional<Measured> half_open;
    std::list<Connection>::iterator self;
  };
  using Connections = std::list<Connection>;

  // A loop's cookie is the connection's address, which is good for as long as it is watched.
  static Connection* Of(uint64_t cookie);
  void OnPeersFin(Connection* connection);
  // What the role says of its age now.
  void SetAge(Connection* connection);
  void SetDeadline(Connection* connection);
  // A while after the peer's FIN: goes on as long as the worker sends.
  void LookAtHalfOpen(Connection* connection, TimePoint now);
  void CutOne(Connection* connection, ConnectionEnd::By by);
  void End(Connection* connection, ConnectionEnd::By by);
  void End(Connection* connection, ConnectionEnd::By by, const Measured& measured);

  EventLoop* const loop_;
  Net* const net_;
  AuditLog* const audit_;
  const std::chrono::milliseconds half_open_patience_;
  // None is empty.
  absl::flat_hash_map<const WorkerRecord*, Connections> workers_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONNECTION_TRACKER_H_
