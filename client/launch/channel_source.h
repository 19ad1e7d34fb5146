// ChannelSource: what a launcher gives a worker that may not connect, so that it can ask for another
// channel when its broker has been started anew.
//
//   auto source = launch::ChannelSource::Make("/run/sockgate.sock");
//   auto channel = source->Connect();
//   UniqueFd workers = source->TakeWorkerEnd();
//   options.channel_source = workers.get();
//   auto worker = launch::Worker::Start(*std::move(channel), options, prepare, run);
//   workers.Reset();
//   auto ended = source->Wait(*worker);   // in place of worker->Wait()
//
// In the worker, Start's `run` gives BrokerClient::FromDescriptor() a ReconnectBy::Source() of that
// number; a program of Exec finds it by BrokerClient::FromEnvironment().
//
// Process: the launcher. One source for one worker.
// Ownership: owns both ends until TakeWorkerEnd(). The channels belong to the worker.
// Threads: one at a time; it starts none, so the launcher may go on to fork. Either Wait() serves,
// or a loop of the launcher's own watches descriptor() and calls Serve(). Nothing waits for the
// worker; Serve() and Connect() do not wait for the broker either. While nobody serves, a worker
// whose broker has gone waits up to two seconds for each of its attempts.
// Hostile input: the worker. It can ask for channels of this one path, kBurst at once and then one
// every kInterval; what it asks for beyond that is refused, and counted. Descriptors that it sends
// are not taken. One that sends anything else than kAskForChannel, that sends descriptors, that
// does not read its answers or asks kMostRefusals times in vain misbehaves: it gets nothing more,
// and Wait() kills it.
//
// Whom the broker sees. SO_PEERCRED of such a channel names the launcher, who called connect(2), and
// not the worker. So the audit log has the launcher's process and user; the role's `uids` and `gids`
// must have the launcher's; and a role with `require_confined` looks at the launcher, which shows no
// filter, and denies everything. Each channel makes a new worker in the broker's eyes, with limits
// of its own, until the worker closes it: what a worker may have at once is bounded by the rate
// above and the role's own limits for all its workers.
//
// Sources: unix(7), proto/handover.h.

#ifndef SOCKGATE_CLIENT_LAUNCH_CHANNEL_SOURCE_H_
#define SOCKGATE_CLIENT_LAUNCH_CHANNEL_SOURCE_H_

#include <chrono>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "client/launch/worker.h"
#include "proto/handover.h"
#include "proto/unique_fd.h"

namespace sockgate::launch {

class ChannelSource {
 public:
  static constexpr int kBurst = 8;
  static constexpr std::chrono::milliseconds kInterval{250};
  // Far more than a BrokerClient asks for in vain, which pauses between its attempts.
  static constexpr int kMostRefusals = 64;

  // InvalidArgument: it cannot be a socket's path. Nobody needs to listen there yet.
  static absl::StatusOr<ChannelSource> Make(std::string path);

  // For WorkerOptions::channel_source. The caller closes it once the worker has been started, or
  // nobody sees that the worker closes its own.
  UniqueFd TakeWorkerEnd() { return std::move(worker_end_); }

  // A channel to start the worker with. Unavailable, or another error that names the path: nobody
  // listens, or as many as may wait there already.
  absl::StatusOr<UniqueFd> Connect() const;

  enum class Conduct {
    kGood,
    kGone,  // it has closed its end, or had misbehaved before
    kBad,   // it misbehaves; said once
  };

  // Answers what the worker has asked for.
  Conduct Serve();

  // Readable (poll, epoll) when Serve() has something to do; -1 once that has said kGone or kBad.
  int descriptor() const { return end_.get(); }

  // Serves until the worker ends, and reaps it: see Worker::Wait().
  absl::StatusOr<ExitStatus> Wait(Worker& worker);

 private:
  ChannelSource(std::string path, UniqueFd end, UniqueFd worker_end)
      : path_(std::move(path)), end_(std::move(end)), worker_end_(std::move(worker_end)) {}

  bool Answer();
  bool MayAskNow();
  bool Send(SourceAnswer answer, int channel);
  Conduct End(Conduct conduct);

  std::string path_;
  UniqueFd end_;
  UniqueFd worker_end_;
  // When all that was asked for would have been due at one every kInterval.
  std::chrono::steady_clock::time_point due_ = {};
  int refusals_ = 0;  // since a channel was given
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_CHANNEL_SOURCE_H_
