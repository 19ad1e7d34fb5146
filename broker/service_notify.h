// ServiceNotify: tells the service manager how this process fares, as systemd's Type=notify asks.
//
// Usage, in a process with one thread:
//   1. auto notify = ServiceNotify::FromEnvironment();   // before the cage
//   2. notify->Ready("policy 1");
//
// Process: broker. Owns the socket, which is connected before the cage: there nothing but send(2)
// without an address is needed.
// Threads: any, once it is made.
// Blocking: Beat() and Status() never. The others wait for a manager that has too much to read, but no
// longer than kPatience: without them it would end or restart a healthy broker.
// Trusted input: the environment. Failure: what cannot be sent is lost. Without NOTIFY_SOCKET all
// members do nothing.
//
// Sources: sd_notify(3), sd_watchdog_enabled(3).

#ifndef SOCKGATE_BROKER_SERVICE_NOTIFY_H_
#define SOCKGATE_BROKER_SERVICE_NOTIFY_H_

#include <chrono>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/unique_fd.h"

namespace sockgate {

class ServiceNotify {
 public:
  static constexpr std::chrono::milliseconds kPatience{500};

  ServiceNotify() = default;

  // Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment, which no other thread
  // may be reading. An error says what was wrong with them; one then goes on with a default one.
  static absl::StatusOr<ServiceNotify> FromEnvironment();

  // `status`: one line for the operator.
  void Ready(absl::string_view status) const;
  void Reloading() const;
  void Stopping() const;
  void Status(absl::string_view status) const;
  void Beat() const;

  bool connected() const { return socket_.valid(); }
  // How often to Beat(): half of what the manager bears with; zero: never.
  std::chrono::microseconds beat_period() const { return beat_period_; }

 private:
  void Send(absl::string_view text, std::chrono::milliseconds patience) const;

  UniqueFd socket_;
  std::chrono::microseconds beat_period_{0};
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_SERVICE_NOTIFY_H_
