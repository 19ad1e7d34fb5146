// A Server in a LoopThread over a FakeNet, with workers that the test plays and a log that it
// reads.

#ifndef SOCKGATE_TESTS_BROKER_SERVER_WORLD_H_
#define SOCKGATE_TESTS_BROKER_SERVER_WORLD_H_

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "broker/policy/role.h"
#include "broker/server.h"
#include "tests/broker/fake_names.h"
#include "tests/broker/fake_net.h"
#include "tests/broker/loop_thread.h"
#include "tests/broker/test_worker.h"

namespace sockgate::testing {

class ServerWorld {
 public:
  // Allows 192.0.2.0/24 (rule 1) but for 192.0.2.66 (rule 2), and 2001:db8::/32 (rule 3).
  static Role TestRole();

  // `audit` instead of the log that Audit() reads. With a patience for questions the server
  // resolves, and `names` answers.
  explicit ServerWorld(UniqueFd audit = UniqueFd(),
                       std::optional<std::chrono::milliseconds> patience = std::nullopt);
  virtual ~ServerWorld();

  // A worker whose first channel this is: pid 42, uid 7.
  TestWorker AddWorker();
  // The same, and it has said hello.
  TestWorker AddGreetedWorker();
  // One of another role, which is lent.
  TestWorker AddGreetedWorkerOf(const RoleSnapshot& other);
  // A worker on a socket pair of the test's own making.
  void Serve(UniqueFd broker_end);

  // As it is within the loop's thread.
  void Do(const std::function<void()>& task) { thread.Do(task); }
  bool Until(const std::function<bool()>& condition) { return thread.Until(condition); }

  // Waits for the connector's `count`th socket in all.
  bool AwaitLines(size_t count) {
    return Until([&] { return net.lines() >= count; });
  }
  // Waits for the `count`th question in all.
  bool AwaitQuestions(size_t count) {
    return Until([&] { return names.size() >= count; });
  }
  bool AwaitChannels(size_t count) {
    return Until([&] { return server->channels() == count; });
  }

  // The log so far, line by line, without "time".
  std::vector<nlohmann::json> Audit();
  // Only the lines whose "event" this is.
  std::vector<nlohmann::json> Audit(const std::string& event);
  // The "detail" of the last "channel" line whose "change" this is; "" when there is none.
  std::string AuditDetail(const std::string& change);

  Role role = TestRole();
  // The workers' own; the world outlives them.
  const RoleSnapshot lent_role{RoleSnapshot(), &role};
  FakeNet net;
  FakeNames names;
  const UniqueFd log;
  std::unique_ptr<AuditLog> audit;
  BrokerUsage usage;
  LoopThread thread;
  std::unique_ptr<Server> server;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_BROKER_SERVER_WORLD_H_
