// NamesWorker: runs a piece of a test inside a real worker whose libcurl resolves through the
// broker: the name shim is armed, then the fetcher profile holds.
//
// Process: the test, while it has one thread. The piece runs in the worker and says what it saw as
// text, which the test compares. It may pause until the test has done its part.

#ifndef SOCKGATE_TESTS_INTEGRATION_NAMES_NAMES_WORKER_H_
#define SOCKGATE_TESTS_INTEGRATION_NAMES_NAMES_WORKER_H_

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "broker/broker_process.h"
#include "client/broker_client.h"
#include "client/launch/worker.h"
#include "proto/unique_fd.h"
#include "tests/integration/inside.h"
#include "tests/integration/pipe_text.h"
#include "tests/integration/transfer.h"

namespace sockgate::testing {

class NamesWorker {
 public:
  // What a piece has in the worker.
  using Inside = testing::Inside;
  using Piece = std::function<std::string(const Inside& inside)>;

  NamesWorker(BrokerProcess& broker, Piece piece) : NamesWorker(broker, "test", std::move(piece)) {}
  NamesWorker(BrokerProcess& broker, const std::string& role, Piece piece);
  NamesWorker(UniqueFd channel, Piece piece);

  // Waits for the piece to pause.
  void AwaitPause();
  void Resume();

  launch::Worker& worker() { return *worker_; }

  // Waits for the worker. What the piece returned, or how the worker ended if that was not well.
  std::string Text();

 private:
  Pipe text_;
  Pipe said_;
  Pipe told_;
  absl::StatusOr<launch::Worker> worker_;
};

// What a transfer of "/status/204" that went well is written as.
inline constexpr char kWell[] = "code 0 status 204 body ; No error";

// One transfer through an adapter of its own, as "code 6 errno 0; a.test: denied by rule 2
// (deny-rule)".
std::string Fetch(BrokerClient& client, ConnectMode mode, const std::string& url,
                  const TransferOptions& options = {});

// The same in a worker of its own.
std::string FetchInWorker(BrokerProcess& broker, ConnectMode mode, const std::string& url,
                          const TransferOptions& options = {});

// For tests that hold in either mode.
inline auto BothModes() {
  return ::testing::Values(ConnectMode::kConnected, ConnectMode::kInProgress);
}
inline std::string ModeName(const ::testing::TestParamInfo<ConnectMode>& mode) {
  return mode.param == ConnectMode::kConnected ? "Connected" : "InProgress";
}

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_INTEGRATION_NAMES_NAMES_WORKER_H_
