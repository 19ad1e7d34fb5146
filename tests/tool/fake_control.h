// FakeControl: a control socket whose answers a test chooses.
//
// Process: the test. Has a thread of its own, which ends with the object; the path goes with it, as
// a broker's does.

#ifndef SOCKGATE_TESTS_TOOL_FAKE_CONTROL_H_
#define SOCKGATE_TESTS_TOOL_FAKE_CONTROL_H_

#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "proto/unique_fd.h"

namespace sockgate::testing {

class FakeControl {
 public:
  explicit FakeControl(std::string path);
  ~FakeControl();
  FakeControl(const FakeControl&) = delete;
  FakeControl& operator=(const FakeControl&) = delete;

  // From now on every question has this answer. Until then none has one.
  void Say(const nlohmann::json& reply);
  // Whoever asks waits.
  void SayNothing();
  // Whoever waits sees the connection close.
  void HangUp();

  // How often it was asked.
  int asked() const;

 private:
  void Serve();

  const std::string path_;
  const UniqueFd listener_;
  mutable std::mutex mutex_;
  std::optional<std::string> reply_;  // guarded by mutex_, as what follows
  std::vector<UniqueFd> waiting_;
  int asked_ = 0;
  std::thread thread_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_TOOL_FAKE_CONTROL_H_
