// PoolWorker: a worker of a WorkerPool (client/launch/pool): takes orders from its launcher,
// performs them in a TransferLoop, and sends heads, bodies and results back.
//
// Process: the worker. Prepare() before confinement, Run() under it.
// Ownership: owns its stream, its client and its loop. The trust store is lent.
// Threads: the only one. Run() blocks until the launcher closes the stream.
// Memory: kMaxUnsentBytes of bodies that the launcher has not taken, then its transfers pause; and
// heads and results of as many transfers as the launcher has ordered.
// Hostile inputs: all that servers send; see transfer_loop.h. The launcher is trusted, but what it
// sends is checked all the same.
// Failure: an exit code other than 0.

#ifndef SOCKGATE_CLIENT_POOL_POOL_WORKER_H_
#define SOCKGATE_CLIENT_POOL_POOL_WORKER_H_

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/broker_client.h"
#include "client/launch/trust_store.h"
#include "client/pool/frame.h"
#include "client/pool/transfer_limits.h"
#include "client/pool/transfer_loop.h"
#include "client/pool/transfer_sink.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate {

class PoolWorker : public TransferSink {
 public:
  using BeginHook = std::function<void(CURL*, TransferId)>;

  static constexpr int kBadOrder = 3;
  static constexpr int kLoopFailed = 4;

  // How its connections are made; see TransferLoop::Options.
  struct Connecting {
    ConnectMode mode = ConnectMode::kInProgress;
    std::chrono::milliseconds deadline = std::chrono::seconds(30);
  };

  PoolWorker(UniqueFd stream, size_t jobs, const launch::TrustStore* trust, BeginHook on_begin,
             const Connecting& connecting)
      : stream_(std::move(stream)),
        jobs_(jobs),
        trust_(trust),
        on_begin_(std::move(on_begin)),
        connecting_(connecting) {}

  absl::Status Prepare(UniqueFd channel);

  // An exit code.
  int Run();

  void OnBegin(TransferId id, CURL* easy) override;
  void OnHead(TransferId id, const ResponseHead& head) override;
  Taken OnBody(TransferId id, absl::string_view piece) override;
  void OnDone(const TransferResult& result, CURL* easy) override;

 private:
  enum class Orders { kGoOn, kNoMore, kBad };

  Orders ReadOrders();
  bool Follow(const Frame& frame);
  bool Send();

  const UniqueFd stream_;
  const size_t jobs_;
  const launch::TrustStore* const trust_;
  const BeginHook on_begin_;
  const Connecting connecting_;
  std::unique_ptr<BrokerClient> client_;
  std::unique_ptr<TransferLoop> loop_;
  FrameReader orders_{Side::kLauncher};
  FrameWriter answers_;
  bool refused_ = false;  // a piece, since answers_ was shorter
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_POOL_POOL_WORKER_H_
