// Broker: the process, or the thread, that may open sockets.
//
// Usage, in a thread:
//   1. auto broker = sockgate::Broker::Create(std::move(options));
//   2. std::thread thread([&] { (*broker)->Run(); });
//   3. auto channel = (*broker)->AddWorker("fetch");   // the worker's end, for launch::Worker
//   4. (*broker)->Stop(); thread.join();
// A process of its own is safer, since the worker's launcher then shares no memory with it:
// broker_process.h.
//
// Privilege: what socket(2) and connect(2) need, which for TCP is nothing special.
// Threads: Create() and Listen() before Run(); Run() in one thread; AddWorker() and Stop() from
// any. Stop() is async-signal-safe.
// Blocking: Run() serves until Stop(). No worker, name server or remote host can make it wait.

#ifndef SOCKGATE_BROKER_BROKER_H_
#define SOCKGATE_BROKER_BROKER_H_

#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/audit_log.h"
#include "broker/event_loop.h"
#include "broker/listener.h"
#include "broker/net.h"
#include "broker/role.h"
#include "broker/server.h"
#include "proto/unique_fd.h"

namespace sockgate {

struct BrokerOptions {
  // At least one; names differ.
  std::vector<Role> roles;
  // Where audit lines go; invalid for nowhere.
  UniqueFd audit;
};

class Broker final : public EventHandler {
 public:
  static absl::StatusOr<std::unique_ptr<Broker>> Create(BrokerOptions options);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // Workers, or their launchers, may connect(2) a SOCK_SEQPACKET socket to `path` and get `role`.
  absl::Status Listen(const std::string& path, absl::string_view role);

  // Makes the channel of a new worker and returns the worker's end.
  absl::StatusOr<UniqueFd> AddWorker(absl::string_view role);

  // Takes orders from a launcher in another process (broker_process.h), who is trusted. When the
  // launcher goes, the broker serves the workers that it has and stops after the last.
  absl::Status FollowLauncher(UniqueFd control);

  void Run();
  void Stop();

  // Run() for a process that is nothing but a broker: first raises the soft limit of descriptors to
  // the hard one, and stops at these signals, which are ignored from then on.
  void RunAsProcess(std::initializer_list<int> stop_signals);

  void OnEvent(uint64_t cookie, uint32_t epoll_events) override;
  void OnDeadline(uint64_t /*cookie*/) override {}

 private:
  struct NewWorker {
    UniqueFd channel;
    const Role* role;
  };

  explicit Broker(BrokerOptions options);

  const Role* FindRole(absl::string_view name) const;
  void AfterWakeup();

  const std::vector<Role> roles_;
  AuditLog audit_;
  KernelNet net_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Server> server_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  UniqueFd control_;
  EventLoop::Id control_watch_;
  pid_t launcher_ = 0;
  bool launcher_gone_ = false;

  std::mutex mutex_;
  std::vector<NewWorker> new_workers_;  // guarded by mutex_
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_BROKER_H_
