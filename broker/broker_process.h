// BrokerProcess: a Broker in a child process of its own.
//
// Process: used by the launcher, before it starts workers. The child keeps none of the launcher's
// descriptors but standard input, output and error, the audit log and the control socket; above all
// no worker's end of a channel, which would hide that worker's death.
// The child enters the cage (cage.h) of BrokerOptions::cage before it hears the first worker; by
// default all that this kernel can give. One that cannot be had where it is required ends the child,
// as options that make no sense do.
// Ownership: the object owns the child. Its destructor, like Stop(), ends it; if the launcher dies
// instead, the child serves the workers that it has and then ends.
// Threads: Start() forks, so call it while the process has one thread; AddWorker() from one thread
// at a time.

#ifndef SOCKGATE_BROKER_BROKER_PROCESS_H_
#define SOCKGATE_BROKER_BROKER_PROCESS_H_

#include <sys/types.h>

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/broker.h"
#include "confine/identity.h"
#include "proto/unique_fd.h"

namespace sockgate {

class BrokerProcess {
 public:
  // With a user the child becomes that one first; it ends where it may not (Identity::CanBecome).
  static absl::StatusOr<BrokerProcess> Start(
      BrokerOptions options, const std::optional<confine::Identity>& user = std::nullopt);
  ~BrokerProcess() { Stop(); }
  BrokerProcess(BrokerProcess&& other) noexcept;
  BrokerProcess& operator=(BrokerProcess&& other) noexcept;

  // The worker's end of a new worker's channel. A role that the broker does not know shows as a
  // channel that closes at once.
  absl::StatusOr<UniqueFd> AddWorker(absl::string_view role);

  pid_t pid() const { return pid_; }

  // Gives the child up and leaves it to itself: for a child of fork(2) that has a copy of this object
  // and is not the launcher. Its copy of the control socket closes.
  void Forget();

  // Ends the child and waits for it. Its channels close; sockets that workers have are theirs and
  // live on.
  void Stop();

 private:
  BrokerProcess(pid_t pid, UniqueFd control) : pid_(pid), control_(std::move(control)) {}

  pid_t pid_ = -1;
  UniqueFd control_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_BROKER_PROCESS_H_
