// BrokerClient: asks the broker for sockets and for the addresses of names, from any number of
// threads.
//
// Usage:
//   auto client = sockgate::BrokerClient::FromDescriptor(std::move(channel));
//   sockgate::ConnectRequest request;
//   request.endpoint = sockgate::Endpoint::Ip(*sockgate::IpAddress::Parse("192.0.2.1"), 443);
//   request.deadline_ms = 5000;
//   sockgate::ConnectResult result = (*client)->Connect(request);
//
// Process: worker. Making one may need socket(2), connect(2) or setsockopt(2), so make it before
// confinement where you can; Connect() and Resolve() work under the fetcher profile.
// Ownership: owns its channels. Sockets that it returned are the caller's; those that are connected
// outlive it and the broker, but for tracked ones, which end with the worker's last channel;
// handshakes that still go on end with it.
// Threads: all members from any thread. Each call in progress has a channel of its own: one that is
// idle, or one that is minted then, which costs one more round trip the first time. When the role
// has no more of them, a call waits for another one to end; but in in-progress mode it does not.
// fork(2): a child must not use its parent's client, since two processes on one channel get each
// other's sockets. In a child every call fails with kBrokerGone.
//
// A broker that has gone. Its sockets live on; handshakes in in-progress mode go on too, but nobody
// ends them at their deadline. A client that knows how (ReconnectBy; FromPath() does) connects to
// the broker that runs then, greets it and closes the channels of before. It does so when a call
// needs it and never by itself: the first attempt at once, others after 50 ms to 5 s (broker_link.h).
//   - Connect() in connected mode and Resolve() wait for an attempt, within their own time and for
//     at most three seconds after the loss, since a restart takes a moment.
//   - Connect() in in-progress mode and NoteLocalhost() make one if it is time for it, and otherwise
//     fail at once.
// What fails is kBrokerGone, and `retry_after_ms` is when another attempt is made: 0 where none
// will be. A broker that is found but speaks no protocol of ours is kBadReply, a process without a
// descriptor for the channel kTableFull, with the same number.
// What is asked again of the next broker: a request that never left, always; one whose channel ended
// before its answer, once a call. All requests may be made twice: a second lookup changes nothing,
// and of two sockets one closes with the broker that had opened it; its peer may see it come and go.
// Before it connects to an address to which a name led, the client has the new broker look that name
// up, without which rules on hosts would not hold.

#ifndef SOCKGATE_CLIENT_BROKER_CLIENT_H_
#define SOCKGATE_CLIENT_BROKER_CLIENT_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/answer.h"
#include "client/asked_ahead.h"
#include "client/broker_link.h"
#include "client/connect_error.h"
#include "client/name_memory.h"
#include "client/reconnect_by.h"
#include "client/spare_sockets.h"
#include "proto/ip_address.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate {

class BrokerClient {
 public:
  // `channel` is the worker's end, from Broker::AddWorker(), BrokerProcess::AddWorker() or a
  // launcher.
  static absl::StatusOr<std::unique_ptr<BrokerClient>> FromDescriptor(
      UniqueFd channel, ReconnectBy reconnect_by = ReconnectBy::Nothing());

  // Connects to the path that a broker listens on, and again when it has gone. Under the fetcher
  // profile it cannot do so again: there use a ChannelSource (launch/channel_source.h).
  static absl::StatusOr<std::unique_ptr<BrokerClient>> FromPath(const std::string& path);

  // Takes the descriptor whose number is in the environment variable SOCKGATE_CHANNEL, as
  // launch::Worker::Exec() leaves it, and removes the variable. With SOCKGATE_CHANNEL_SOURCE
  // likewise, it reconnects by that one.
  static absl::StatusOr<std::unique_ptr<BrokerClient>> FromEnvironment();

  // In a child of fork(2) the parent's connections stay as they are.
  ~BrokerClient();

  // Blocks until the broker answers: in connected mode for the handshake, in in-progress mode for
  // one local round trip. A broker that does not answer is waited for until two seconds after
  // request.deadline_ms, in in-progress mode for two seconds, and as long again where a channel has
  // to be minted or waited for first. Where the client has to connect anew, that takes three local
  // round trips more, and the new broker is waited for as long at each; to look a name up again,
  // which takes as long as its resolver does, two seconds at most in in-progress mode, and in
  // connected mode what is left of the deadline. deadline_ms is brought within 1 to kMaxDeadlineMs.
  ConnectResult Connect(ConnectRequest request);

  // Asks for the addresses of a name; address literals are the caller's affair. The broker judges
  // the name before a query leaves the machine. Blocks until the answer: a local round trip when
  // the broker knows it, else for as long as its resolver takes, 30 s and the two of grace at
  // most; and up to 30 s before, where the role has no more channels or lookups than other threads
  // use. Connect() to one of the addresses is judged by the name for as long as the broker
  // remembers that this worker asked.
  // The error is kNoResolver where the broker resolves nothing, kDenied with rule and reason where
  // the policy refuses the name, kLookup where there is no address; otherwise as for Connect().
  ResolveResult Resolve(absl::string_view name, NameFamily family);

  // Has the broker remember that this worker was led by localhost or a name below it, whose
  // addresses both know. One local round trip, never more. The error is as for Resolve(), and of no
  // consequence but to a caller who minds a rule on the name itself.
  ConnectError NoteLocalhost(absl::string_view name);

  // Sockets ahead of need. Prepare() has the broker asked for a socket that Connect() will be asked
  // for soon, for the same address and kind of socket and in the same mode: with a name, for the
  // address that libcurl will try first, and Resolve() has the name's addresses then. Returns a
  // ticket, and 0 where nothing can be asked for; nothing is wrong then, for Connect() asks itself.
  // Waits for no network, and for one local round trip where there is no channel yet.
  // Connect() finds the socket there, or waits for it, and says `prepared`. It tells an error only of
  // an attempt that it waited for; where one has failed before, or its peer has closed since, it
  // asks anew.
  // A socket that nobody takes is closed when it is four seconds old (set_spare_age), by the next
  // call of any of these members, and for half a minute none is prepared for its target: it may be
  // called for every transfer, also of a crawl whose connections libcurl keeps. All count against
  // the worker's limits, like others; there are SpareSockets::kMost at most.
  uint64_t Prepare(const AheadTarget& target);

  // The socket of this ticket is not needed: the next Prepare() for the same target has it.
  void Release(uint64_t ticket);

  // Has the broker asked until there are so many for the target that nobody has a ticket for, and
  // returns how many there are.
  size_t Preconnect(const AheadTarget& target, size_t count);

  // Takes answers that have come and sends what follows from them: after a name's addresses the
  // request for the socket. Does not wait. Resolve(), Connect() and Prepare() do it too, so call it
  // where none of them is called for long.
  void Progress();

  void set_spare_age(std::chrono::milliseconds age);
  AheadCounts ahead_counts() const;

  // Whether the broker resolves names: the one that was found last.
  bool resolves() const { return (link_.capabilities() & kCapabilityResolve) != 0; }

 private:
  using TimePoint = BrokerLink::TimePoint;

  explicit BrokerClient(ReconnectBy reconnect_by);

  bool IsForked() const;
  bool CanPrepare(const AheadTarget& target) const;

  // Makes a call: once(contact, &answer) returns whether the request left this process.
  template <typename Answer, typename Once>
  Answer Ask(TimePoint give_up, const Once& once);

  // Each makes one call on one broker, and returns whether the request left.
  bool StartConnect(BrokerContact& contact, const ConnectRequest& request, ConnectResult* result);
  bool AwaitConnect(BrokerContact& contact, const ConnectRequest& request, TimePoint give_up,
                    ConnectResult* result);
  bool ResolveOn(BrokerContact& contact, const ResolveRequest& request, TimePoint give_up,
                 std::chrono::milliseconds patience, ResolveResult* result);

  std::unique_ptr<Channel> TakeChannel(BrokerContact& contact, TimePoint give_up,
                                       ConnectError* error);

  // Has a broker that came after the first look up what led to the address.
  void TellNames(BrokerContact& contact, const Endpoint& endpoint, TimePoint give_up);

  template <typename Answer>
  void Take(ConnectError::Kind kind, const Reply& reply, BrokerContact& contact, Answer* answer);

  const uint32_t process_generation_;
  BrokerLink link_;
  NameMemory names_;
  std::unique_ptr<AskedAhead> ahead_;  // goes before the channels
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_BROKER_CLIENT_H_
