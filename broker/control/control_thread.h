// ControlThread: takes an operator's orders to a running broker, from SIGHUP and from a socket on
// a path (CONTROL.md).
//
// Usage, in a process with one thread so far, whose next is the broker's:
//   1. Reloader reloader(broker, policy_file);
//   2. auto control = ControlThread::Start({"/run/sockgate/control"}, broker, &reloader);
//   3. broker->Run();
//   4. control->reset();
//
// Process: broker, a thread of its own, which takes no signal but through its descriptor.
// Ownership: the broker and the reloader are lent and must outlive the object, whose destructor
// ends the thread and unlinks the path.
// Hostile input: the requests, of root and of the broker's own user; whoever else connects is not
// heard, nor is the broker itself. A client has a few seconds for its request, and neither SIGHUP
// nor the broker waits for one.

#ifndef SOCKGATE_BROKER_CONTROL_CONTROL_THREAD_H_
#define SOCKGATE_BROKER_CONTROL_CONTROL_THREAD_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/broker.h"
#include "broker/control/reloader.h"
#include "broker/listening_socket.h"
#include "broker/ordered_by.h"
#include "proto/unique_fd.h"

namespace sockgate {

class ControlThread {
 public:
  struct Options {
    std::string path = {};                     // empty: SIGHUP only
    std::chrono::milliseconds patience{5000};  // with one client
  };

  // Blocks SIGHUP in the calling thread, which the threads that it starts inherit; one that does
  // not block it would be ended by it.
  static absl::StatusOr<std::unique_ptr<ControlThread>> Start(Options options, Broker* broker,
                                                              Reloader* reloader);
  ~ControlThread();
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

 private:
  using Clock = std::chrono::steady_clock;

  ControlThread(std::chrono::milliseconds patience, Broker* broker, Reloader* reloader)
      : patience_(patience), broker_(broker), reloader_(reloader) {}

  absl::Status OpenSignals();
  void Run();
  // Until there is something to do; at most until the client's time is over.
  int PatienceLeft() const;
  void TakeSignals();
  void Accept();
  // Whether the client may give orders.
  bool KnowClient();
  void Serve();
  std::string Answer(absl::string_view word);
  std::string Revoke(absl::string_view pairs);

  const std::chrono::milliseconds patience_;
  Broker* const broker_;
  Reloader* const reloader_;
  UniqueFd stop_;
  UniqueFd signals_;
  std::optional<ListeningSocket> socket_;
  UniqueFd client_;
  OrderedBy client_order_;
  Clock::time_point client_until_;
  std::thread thread_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONTROL_CONTROL_THREAD_H_
