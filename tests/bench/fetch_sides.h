// FetchSide: one of the processes whose fetches are compared, and the server that they fetch from.
//
// Each is a child, made while the parent has one thread, and ends with the object.

#ifndef SOCKGATE_TESTS_BENCH_FETCH_SIDES_H_
#define SOCKGATE_TESTS_BENCH_FETCH_SIDES_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/launch/trust_store.h"
#include "client/launch/worker.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"
#include "tests/bench/bench_broker.h"
#include "tests/bench/child_process.h"
#include "tests/bench/fetch_loop.h"

namespace sockgate::bench {

// LoopbackServers on several loopback addresses, all in one child.
class FetchServer {
 public:
  // With `certificates`, a file, they speak TLS and add to it what a client must trust.
  static absl::StatusOr<FetchServer> Start(size_t addresses, const std::string& certificates = "");

  // One for each address.
  const std::vector<std::string>& urls() const { return urls_; }

 private:
  FetchServer(ChildProcess process, std::vector<std::string> urls)
      : process_(std::move(process)), urls_(std::move(urls)) {}

  ChildProcess process_;
  std::vector<std::string> urls_;
};

// How a confined side goes about it.
struct ConfinedWay {
  std::string name;
  ConnectMode mode = ConnectMode::kConnected;
  bool shim = false;      // the name shim is armed
  bool ahead = false;     // FetchBy::ahead
  bool prepared = false;  // FetchBy::prepared
  // What the worker trusts, by a TrustStore; empty: nothing, for it has no use for it.
  std::string ca_file = {};
  launch::TrustStore::Way trust = launch::TrustStore::Way::kBest;
};

// The same of one that is not.
struct PlainWay {
  std::string name = "plain libcurl";
  std::string ca_file = {};   // FetchBy::ca_file
  bool no_ca_folder = false;  // FetchBy::no_ca_folder
  std::string proxy = {};     // FetchBy::proxy
  std::string network = {};   // the network namespace to be in: a path beneath /proc; empty: ours
};

class FetchSide {
 public:
  // libcurl as it comes, in a process that is not confined.
  static absl::StatusOr<FetchSide> Plain(const std::vector<std::string>& urls,
                                         const PlainWay& way = {});

  // libcurl through CurlAdapter, in a worker under the fetcher profile.
  static absl::StatusOr<FetchSide> Confined(const std::vector<std::string>& urls,
                                            BenchBroker* broker, const ConfinedWay& way);

  // The same with the worker's end of a channel to any broker, whose process is told.
  static absl::StatusOr<FetchSide> Confined(const std::vector<std::string>& urls, UniqueFd channel,
                                            pid_t broker, const ConfinedWay& way);

  const std::string& name() const { return name_; }
  // The broker's; 0: none.
  pid_t helper() const { return helper_; }

  // Seconds that the order took; an error if a fetch failed or the child did not answer.
  absl::StatusOr<double> Perform(const FetchOrder& order) const;

  // What became of the order, with failures; an error if the child did not answer.
  absl::StatusOr<FetchAnswer> Ask(const FetchOrder& order) const;

 private:
  FetchSide(std::string name, ChildProcess process)
      : name_(std::move(name)), process_(std::move(process)), control_(process_->control()) {}
  FetchSide(std::string name, launch::Worker worker, UniqueFd control, pid_t helper)
      : name_(std::move(name)),
        worker_(std::move(worker)),
        worker_control_(std::move(control)),
        control_(worker_control_.get()),
        helper_(helper) {}

  std::string name_;
  // Either of the two.
  std::optional<ChildProcess> process_;
  std::optional<launch::Worker> worker_;
  UniqueFd worker_control_;
  int control_;
  pid_t helper_ = 0;
};

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_FETCH_SIDES_H_
