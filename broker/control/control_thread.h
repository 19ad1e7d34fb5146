// ControlThread: takes an operator's orders to a running broker, from SIGHUP and from a socket on
// a path (CONTROL.md), and tells the service manager how the broker fares.
//
// At SIGHUP the audit log is opened anew first, and then the policy file is read anew: what the
// latter is about is in the new log.
//
// Usage, in a process with one thread so far, whose next is the broker's:
//   1. Reloader reloader(broker, policy_file);
//   2. auto socket = ListeningSocket::Bind({"/run/sockgate/control"});
//   3. options.socket = std::make_unique<ListeningSocket>(*std::move(socket));
//   4. auto control = ControlThread::Start(std::move(options), broker, &reloader);
//   5. broker->Run();
//   6. control->reset();
//
// Process: broker, a thread of its own, which takes no signal but through its descriptor.
// Ownership: the broker, the reloader and what the options point to are lent and must outlive the
// object, whose destructor ends the thread and unlinks the path.
// Hostile input: the requests, of root and of the broker's own user; whoever else connects is not
// heard, nor is the broker itself. A client has a few seconds for its request, and neither SIGHUP
// nor the broker waits for one.

#ifndef SOCKGATE_BROKER_CONTROL_CONTROL_THREAD_H_
#define SOCKGATE_BROKER_CONTROL_CONTROL_THREAD_H_

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/broker.h"
#include "broker/control/audit_rotator.h"
#include "broker/control/reloader.h"
#include "broker/listening_socket.h"
#include "broker/ordered_by.h"
#include "broker/service_notify.h"
#include "proto/unique_fd.h"

namespace sockgate {

class ControlThread {
 public:
  struct Options {
    std::unique_ptr<ListeningSocket> socket = nullptr;  // null: SIGHUP only
    std::chrono::milliseconds patience{5000};           // with one client
    AuditRotator* rotator = nullptr;                    // null: the audit log stays where it is
    const ServiceNotify* notify = nullptr;  // is told that the broker is ready, first of all
  };

  // Without a reloader there is no policy file, and must be no socket.
  // Blocks SIGHUP in the calling thread, which the threads that it starts inherit; one that does
  // not block it would be ended by it.
  static absl::StatusOr<std::unique_ptr<ControlThread>> Start(Options options, Broker* broker,
                                                              Reloader* reloader);
  ~ControlThread();
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

 private:
  using Clock = std::chrono::steady_clock;

  ControlThread(Options options, Broker* broker, Reloader* reloader)
      : patience_(options.patience),
        rotator_(options.rotator),
        notify_(options.notify),
        socket_(std::move(options.socket)),
        broker_(broker),
        reloader_(reloader) {}

  absl::Status OpenSignals();
  void Run();
  // Until there is something to do by the clock.
  int PatienceLeft() const;
  void TakeSignals();
  // For the service manager, in one line.
  std::string StatusLine() const;
  void TellReady();
  void TellStatus();
  void Accept();
  // Whether the client may give orders.
  bool KnowClient();
  void Serve();
  std::string Answer(absl::string_view word);
  std::string Revoke(absl::string_view pairs);
  std::string Rotate();

  const std::chrono::milliseconds patience_;
  AuditRotator* const rotator_;
  const ServiceNotify* const notify_;
  const std::unique_ptr<ListeningSocket> socket_;
  Broker* const broker_;
  Reloader* const reloader_;
  UniqueFd stop_;
  UniqueFd signals_;
  UniqueFd client_;
  OrderedBy client_order_;
  Clock::time_point client_until_;
  // When to tell the service manager next, and what it was told.
  Clock::time_point status_at_ = Clock::time_point::max();
  std::string status_;
  std::thread thread_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONTROL_CONTROL_THREAD_H_
