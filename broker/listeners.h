// Listeners: all the paths where one broker listens.
//
// Process: broker, the loop's thread. Owns the listeners; the loop and the host are lent and must
// outlive it.

#ifndef SOCKGATE_BROKER_LISTENERS_H_
#define SOCKGATE_BROKER_LISTENERS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "broker/listener.h"
#include "broker/policy/listen_at.h"
#include "broker/role_table.h"

namespace sockgate {

class Listeners {
 public:
  using Map = std::map<std::string, std::unique_ptr<Listener>>;

  Listeners(EventLoop* loop, WorkerHost* host) : loop_(loop), host_(host) {}

  // The roles exist, and the paths differ.
  static absl::Status Check(const std::vector<ListenAt>& wanted, const RoleTable& roles);

  // Listens on these paths and no others; all of it or, after an error, none. `wanted` has passed
  // Check(). Whoever listens already goes on, with what has changed for the next connection; one
  // whose path was removed, or is somebody else's by now, is bound anew.
  absl::Status Replace(const std::vector<ListenAt>& wanted, const RoleTable& roles);

  // One path more.
  absl::Status Add(const ListenAt& at, const RoleTable& roles);

  const Map& all() const { return all_; }

 private:
  // `added` gets the listeners on paths that are new, or are to be bound anew.
  absl::Status Open(const std::vector<ListenAt>& wanted, const RoleTable& roles, Map* added) const;
  // All of these, or none.
  static absl::Status Grant(const std::vector<std::pair<Listener*, ListenAt>>& kept);

  EventLoop* const loop_;
  WorkerHost* const host_;
  Map all_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_LISTENERS_H_
