// Connector: opens sockets and sees their handshakes through, in both modes.
//
// Process: broker, the loop's thread. It decides nothing: whoever calls Start() has asked the
// policy. Never blocks. A handshake that ends within Start(), as on loopback, costs no epoll call.
//
// Connected mode: the caller gets the socket when the handshake has ended well, or the exact errno.
// In-progress mode: the caller gets the socket at once and gives it to the worker; the connector
// keeps a duplicate (and hands it on if it is tracked), and when the handshake has ended well calls connect(2) once more. Until
// somebody does, the kernel regards the socket as still connecting, and sendto(MSG_FASTOPEN) could
// aim it elsewhere. When the handshake fails the error stays in the socket, where libcurl looks for
// it; so the audit line cannot have it.

#ifndef SOCKGATE_BROKER_CONNECTOR_H_
#define SOCKGATE_BROKER_CONNECTOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "broker/event_loop.h"
#include "broker/net.h"
#include "broker/policy/host_name.h"
#include "broker/policy/role.h"
#include "broker/worker_record.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate {

// One allowed request to connect, on its way.
struct Attempt {
  WorkerRecord* worker = nullptr;
  uint64_t channel = 0;
  uint32_t request_id = 0;
  ConnectRequest request;
  uint32_t rule = 0;
  TimePoint begun;
  // What becomes of it is for the ConnectionTracker.
  bool tracked = false;
  // Of a tracked one: a name that led there when it was let through, and by which it will be judged
  // again. Null: there was none.
  std::shared_ptr<const HostName> name;
};

enum class Progress {
  kConnected,
  kFailed,   // `error`, or 0 when only the socket itself knows
  kPending,  // the observer will hear of the end
};

struct Started {
  Progress progress = Progress::kFailed;
  int error = 0;
  UniqueFd socket;  // when the connector is done with it
  int lent = -1;    // in-progress mode, kPending: the connector's own, valid until the loop goes on
};

class ConnectObserver {
 public:
  // A pending attempt has ended with kConnected or kFailed. `socket` is set on success, in
  // connected mode or if the attempt is tracked.
  virtual void OnConnectEnd(const Attempt& attempt, Progress progress, int error,
                            UniqueFd socket) = 0;

 protected:
  ~ConnectObserver() = default;
};

class Connector final : public EventHandler {
 public:
  // None is owned; all must outlive the connector.
  Connector(EventLoop* loop, Net* net, ConnectObserver* observer)
      : loop_(loop), net_(net), observer_(observer) {}
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  // Opens a socket with these options, all of them or none, and connects it.
  Started Start(const Attempt& attempt, const SocketOptions& options);

  // Ends every attempt of the worker, or those that would be answered on the channel, with
  // ECANCELED. A handshake whose socket the worker has already fails there.
  void CancelWorker(WorkerRecord* worker);
  void CancelChannel(WorkerRecord* worker, uint64_t channel);

  // Likewise those that are tracked and match. How many they were.
  size_t CancelTracked(absl::FunctionRef<bool(const Attempt&)> matches);

  // Handshakes that go on.
  size_t pending() const { return pending_.size() - free_.size(); }

  void OnEvent(uint64_t cookie, uint32_t epoll_events) override;
  void OnDeadline(uint64_t cookie) override;

 private:
  struct Pending {
    Attempt attempt;
    UniqueFd socket;
    EventLoop::Id watch;
    EventLoop::Id deadline;
    uint32_t previous = WorkerRecord::kNoAttempt;
    uint32_t next = WorkerRecord::kNoAttempt;
  };

  Started StartConnected(const Attempt& attempt, UniqueFd socket);
  Started StartInProgress(const Attempt& attempt, UniqueFd socket);
  Started Pend(const Attempt& attempt, UniqueFd socket);
  void Abandon(uint32_t index, int error);
  void Finalise(uint32_t index);
  void End(uint32_t index, Progress progress, int error);
  void Link(uint32_t index);
  void Unlink(uint32_t index);

  EventLoop* const loop_;
  Net* const net_;
  ConnectObserver* const observer_;
  std::vector<Pending> pending_;
  std::vector<uint32_t> free_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONNECTOR_H_
