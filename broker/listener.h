// Listener: a path in the file system where workers, or their launchers, get a channel by
// connect(2).
//
// Process: broker, the loop's thread. Owns the listening socket, and the path: it is unlinked at
// the end.
// Hostile input: how many connect. When the process is out of descriptors the listener rests for a
// moment, so that a full table does not become a busy loop.

#ifndef SOCKGATE_BROKER_LISTENER_H_
#define SOCKGATE_BROKER_LISTENER_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "broker/event_loop.h"
#include "broker/role.h"
#include "broker/server.h"
#include "proto/unique_fd.h"

namespace sockgate {

class Listener final : public EventHandler {
 public:
  // Binds `path` for the owner alone (mode 0600) and gives `role` to whoever connects. A socket
  // that nobody listens on any more is replaced; anything else in its place is an error. All
  // pointers must outlive the listener.
  static absl::StatusOr<std::unique_ptr<Listener>> Create(const std::string& path, const Role* role,
                                                          EventLoop* loop, Server* server);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void OnEvent(uint64_t cookie, uint32_t epoll_events) override;
  void OnDeadline(uint64_t cookie) override;

 private:
  Listener(std::string path, UniqueFd socket, const Role* role, EventLoop* loop, Server* server)
      : path_(std::move(path)),
        socket_(std::move(socket)),
        role_(role),
        loop_(loop),
        server_(server) {}

  void Rest();

  const std::string path_;
  // What is at the path as long as nobody has put something else there.
  dev_t device_ = 0;
  ino_t inode_ = 0;
  UniqueFd socket_;
  const Role* const role_;
  EventLoop* const loop_;
  Server* const server_;
  EventLoop::Id watch_;
  EventLoop::Id rest_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_LISTENER_H_
