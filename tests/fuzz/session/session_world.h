// SessionWorld: a Server with its sessions over a network, a resolver and a clock that do what they
// are told, in one thread.
//
// The loop runs for as long as a run lasts, and between two of its wake-ups asks the run for its
// next move; so the same bytes always lead to the same end. Errors end the process.

#ifndef SOCKGATE_TESTS_FUZZ_SESSION_SESSION_WORLD_H_
#define SOCKGATE_TESTS_FUZZ_SESSION_SESSION_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/audit_log.h"
#include "broker/event_loop.h"
#include "broker/role_table.h"
#include "broker/server.h"
#include "proto/unique_fd.h"
#include "tests/broker/fake_names.h"
#include "tests/broker/fake_net.h"

namespace sockgate::fuzz {

class SessionWorld {
 public:
  // Which policy a reload brings.
  enum class Rules : uint8_t {
    kUsual,   // lets 192.0.2.0/24, 2001:db8::/32 and *.example.com through, but for a bad one each
    kNarrow,  // the same with every limit at one
    kReport,  // the same in report mode
    kOther,   // nobody may have anything but 198.51.100.0/24
    kGone,    // the role is not there
  };
  static constexpr uint8_t kRules = 5;

  static Limits UsualLimits();

  SessionWorld();
  ~SessionWorld();
  SessionWorld(const SessionWorld&) = delete;
  SessionWorld& operator=(const SessionWorld&) = delete;

  // Serves until `turn`, which is called after every wake-up, says false. Once.
  void Run(const std::function<bool()>& turn);

  // In a turn:
  UniqueFd AddWorker();
  void Adopt(Rules rules);
  Server& server() { return *server_; }
  testing::FakeNet& net() { return net_; }
  testing::FakeNames& names() { return names_; }
  void EndServer() { server_.reset(); }

  // The log so far.
  std::vector<std::string> Log();

 private:
  testing::FakeNet net_;
  testing::FakeNames names_;
  UniqueFd log_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<AuditLog> audit_;
  BrokerUsage usage_;
  std::unique_ptr<Server> server_;
  RoleTable roles_;
  uint64_t policy_ = 1;
};

}  // namespace sockgate::fuzz

#endif  // SOCKGATE_TESTS_FUZZ_SESSION_SESSION_WORLD_H_
