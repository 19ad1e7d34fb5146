// Confined: runs a piece of a test inside a real worker, under the fetcher profile, against a real
// broker process.
//
// Process: the test, single-threaded. The piece runs in the worker and says what it saw as text,
// which the test compares.

#ifndef SOCKGATE_TESTS_INTEGRATION_CONFINED_H_
#define SOCKGATE_TESTS_INTEGRATION_CONFINED_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/broker_process.h"
#include "broker/policy/role.h"
#include "client/broker_client.h"
#include "client/launch/worker.h"
#include "proto/unique_fd.h"

namespace sockgate::testing {

// A broker with one role, "test", that allows `allow` (CIDR:PORTS each). Its audit log goes to
// `audit`, if any.
BrokerProcess StartBroker(const std::vector<std::string>& allow, UniqueFd audit = UniqueFd(),
                          Limits limits = Limits());

// A broker with this role alone.
BrokerProcess StartBrokerWith(Role role, UniqueFd audit = UniqueFd());

// What a worker does before it is confined: libcurl's and libc's own set-up. 0 when that went well.
int PrepareWorker(int channel);

// A worker that has been started; its text comes when it ends.
class ConfinedRun {
 public:
  using Piece = std::function<std::string(BrokerClient& client)>;
  // With the bare channel, for a piece that does not keep to the protocol.
  using RawPiece = std::function<std::string(int channel)>;

  ConfinedRun(BrokerProcess& broker, Piece piece, const std::string& role = "test");
  // On a channel that is there already.
  ConfinedRun(UniqueFd channel, Piece piece);
  static ConfinedRun Raw(BrokerProcess& broker, RawPiece piece, const std::string& role = "test");

  launch::Worker& worker() { return *worker_; }

  // Waits for the worker. What the piece returned, or how the worker ended if that was not well.
  std::string Text();

 private:
  ConfinedRun() = default;
  void Start(UniqueFd channel, const RawPiece& piece);

  UniqueFd reader_;
  absl::StatusOr<launch::Worker> worker_ = absl::UnavailableError("not started");
};

// In a worker: what the piece returns, with a client on this channel.
std::string RunPiece(int channel, const ConfinedRun::Piece& piece);

// Starts a worker and waits for it.
std::string RunConfined(BrokerProcess& broker, ConfinedRun::Piece piece);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_INTEGRATION_CONFINED_H_
