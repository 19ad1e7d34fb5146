// ResolverKeeper: sees to it that there is always a resolver.
//
// Process: the object is the broker's; behind it stands a child process, the keeper, which has one
// thread for good and therefore can fork resolvers after the broker has started its threads. The
// keeper forks a resolver at once, another one when that dies (100 ms later, doubling to 5 s when
// they die young), and hands the broker's ends of its channels over.
// Ownership: the object owns the keeper, and the keeper its resolver. Both end with the object, and
// also when the broker is killed.
// Threads: Start() forks, so call it while the process has one thread. The rest may be called from
// one thread at a time and does not block; the destructor waits for the keeper to end, for a few
// seconds, after which it kills it, or, confined by then, leaves it alone.
// Hostile inputs: none here. The channels lead to a resolver, and what comes out of them is
// hostile; whoever finds it lying closes them and calls Kill().
//
//   1. keeper = ResolverKeeper::Start(options);   before any thread, and before the broker's own
//      confinement, which keeper and resolver would inherit
//   2. watch keeper->descriptor() for reading, level-triggered
//   3. when readable: channels = keeper->Take(); the channels before are dead, close them
//   4. a channel ends: close both, and wait for 3
//   5. after a reload: keeper->Restart(new_options), and wait for 3

#ifndef SOCKGATE_BROKER_RESOLVER_RESOLVER_KEEPER_H_
#define SOCKGATE_BROKER_RESOLVER_RESOLVER_KEEPER_H_

#include <sys/types.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "broker/resolver/resolver_options.h"
#include "confine/cage_level.h"
#include "proto/unique_fd.h"

namespace sockgate {

// The broker's ends of one resolver's channels. Neither takes descriptors.
struct ResolverChannels {
  UniqueFd questions;  // ResolverQuestion out, ResolverAnswer in
  UniqueFd sockets;    // for a SocketServer
};

class ResolverKeeper {
 public:
  // Waits until the keeper has confined itself. `level`: what becomes of it where a layer of the
  // cage cannot be had; the resolver is confined in any case. InvalidArgument for options out of
  // bounds; Unavailable: the kernel lacks what the level requires; otherwise what the system says.
  static absl::StatusOr<ResolverKeeper> Start(
      const ResolverOptions& options, confine::CageLevel level = confine::CageLevel::kIfPossible);

  ~ResolverKeeper() { Stop(); }
  ResolverKeeper(ResolverKeeper&& other) noexcept;
  ResolverKeeper& operator=(ResolverKeeper&& other) noexcept;

  // Readable when a resolver may be ready. The same for the life of the object.
  int descriptor() const { return control_.get(); }

  // The channels of the resolver that was started last among those not taken yet. Unavailable:
  // there is none now, wait for the descriptor. Anything else: the keeper is gone, nothing will
  // come any more; stop watching.
  absl::StatusOr<ResolverChannels> Take();

  // Kills the resolver and starts another one with these options, at once. An error: the options
  // are out of bounds, or the keeper is gone or does not listen; then the old resolver goes on.
  absl::Status Restart(const ResolverOptions& options);

  // Kills the resolver, because it misbehaved; the next one comes as after any other death.
  void Kill();

  pid_t keeper_pid() const { return pid_; }

 private:
  ResolverKeeper(pid_t pid, UniqueFd control) : pid_(pid), control_(std::move(control)) {}

  absl::Status AwaitConfined();
  absl::Status Order(absl::Span<const uint8_t> order);
  absl::Status ReceiveOne();
  void Stop();

  pid_t pid_ = -1;
  UniqueFd control_;
  ResolverChannels arriving_;  // a pair comes in two packets
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_RESOLVER_KEEPER_H_
