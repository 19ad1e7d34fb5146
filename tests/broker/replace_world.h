// ReplaceWorld: a real Broker in a thread, whose policy the test replaces, and whose log it reads.
//
// Every wait ends after ten seconds with a failure of the test.

#ifndef SOCKGATE_TESTS_BROKER_REPLACE_WORLD_H_
#define SOCKGATE_TESTS_BROKER_REPLACE_WORLD_H_

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "broker/broker.h"
#include "tests/broker/test_worker.h"

namespace sockgate::testing {

// Allows what `allow` says, such as "127.0.0.1:80".
Role RoleThatAllows(const std::string& name, const std::vector<std::string>& allow);

class ReplaceWorld {
 public:
  explicit ReplaceWorld(std::vector<Role> roles, uint32_t threads = 1);
  ~ReplaceWorld() { Stop(); }
  ReplaceWorld(const ReplaceWorld&) = delete;
  ReplaceWorld& operator=(const ReplaceWorld&) = delete;

  // `first` is done in the broker's thread.
  void StartRunning(void (*first)() = [] {});
  // The broker runs no more, but lives on.
  void Stop();
  // Waits until it runs no more by itself.
  void Join() { thread_.join(); }
  // It lives no more either, and all its lines are in the log.
  void End();

  TestWorker AddGreetedWorker(const std::string& role);
  // The channel of a worker that connects to the path; one that is closed if there is nobody.
  static TestWorker ConnectToPath(const std::string& path);

  // The lines of the log whose "event" this is; all of them only after End().
  std::vector<nlohmann::json> Audit(const std::string& event) const;

  Broker& broker() { return *broker_; }

 private:
  const UniqueFd log_;
  std::unique_ptr<Broker> broker_;
  std::thread thread_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_BROKER_REPLACE_WORLD_H_
