// Nursery: a child of the launcher's that starts a pool's workers, each by launch::Worker.
//
// A worker has a copy of whatever forked it. The launcher has threads by the time a worker must be
// replaced, and knows what other workers have fetched; the nursery was forked before, does nothing
// else, and has one thread.
//
// Process: the object in the launcher; the child unconfined, as the launcher is.
// Ownership: the object owns the child, which owns the workers. It ends them and itself when the
// object is destroyed or the launcher dies. Descriptors that are given away are closed here.
// Threads: Start() forks: call it while the process has one thread, or it refuses. The rest one at a
// time. Read() does not block; Begin() and Kill() wait while the child starts other workers, and the
// destructor until all have ended.
// Hostile inputs: none. Workers talk to the launcher on streams of their own; the child hears from
// them only how they end.
// Failure: Start() says what could not be had. kUnavailable from anything else: the child has gone,
// and its workers with it.
//
// Sources: unix(7), pidfd_open(2), pthread_atfork(3).

#ifndef SOCKGATE_CLIENT_LAUNCH_POOL_NURSERY_H_
#define SOCKGATE_CLIENT_LAUNCH_POOL_NURSERY_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/launch/pool/nursery_options.h"
#include "client/launch/worker.h"
#include "proto/unique_fd.h"

namespace sockgate::launch {

class Nursery {
 public:
  struct News {
    enum class Kind { kStarted, kFailed, kEnded };

    Kind kind = Kind::kFailed;
    uint32_t worker = 0;
    ExitStatus status;  // of kEnded
    // Of kStarted: the layers that are in force (InForce::ToString). Of kFailed: why; nothing more is
    // heard of that worker.
    std::string text;
  };

  static absl::StatusOr<Nursery> Start(const NurseryOptions& options);
  ~Nursery();
  Nursery(Nursery&& other) noexcept;
  Nursery& operator=(Nursery&&) = delete;

  // Has a worker started under this number, which is the caller's choice and used once, with this
  // channel to the broker and this stream to the launcher.
  absl::Status Begin(uint32_t worker, UniqueFd channel, UniqueFd stream);

  // SIGKILL. News of its end come all the same; nothing happens if it has ended.
  absl::Status Kill(uint32_t worker);

  // Nothing: no news yet.
  absl::StatusOr<std::optional<News>> Read();

  // Readable (poll, epoll) when there are news.
  int descriptor() const { return socket_.get(); }

 private:
  Nursery(pid_t pid, UniqueFd socket) : pid_(pid), socket_(std::move(socket)) {}

  pid_t pid_;
  UniqueFd socket_;
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_POOL_NURSERY_H_
