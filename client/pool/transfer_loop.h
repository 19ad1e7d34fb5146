// TransferLoop: performs many transfers at once, in one thread, on libcurl's multi interface.
//
//   TransferLoop::Options options;
//   options.client = client.get();            // met before confinement
//   options.trust = trust.get();              // loaded before confinement
//   TransferLoop loop(options, &sink);
//   for (...) loop.Add(id, transfer);
//   loop.Run();                               // sink.OnDone() for each
//
// Process: the worker, confined. ArmNameShim() and curl_global_init() have been called before
// confinement, SIGPIPE is ignored (transfer_process.h does it).
// Ownership: owns its handles and connections. Client, trust store and sink are lent, and must
// outlive it. Transfers that are under way when it is destroyed end without a word.
// Threads: one at a time.
// Blocking: Step() and Run() wait, for as long as they say. Handshakes are the broker's (in-progress
// mode): each attempt to connect takes one local round trip. A descriptor of Transfer::output is
// written without regard to how long that takes.
// Memory: a transfer under way has what libcurl keeps for it (some 100 KiB with TLS), kMaxHeaderBytes
// of headers at most, and where the sink does not take its body, what libcurl has of it by then:
// 16 KiB, or what those become when they are decompressed (64 MiB at most). One that waits has its
// Transfer.
// Hostile inputs: all that servers send. What is kept of it is bounded (transfer_limits.h).
// Failure: each transfer's own, in its result, also where it could not begin. A Status is the loop's
// own: libcurl's multi interface failed.
//
// Sources: libcurl-multi(3), curl_multi_poll(3).

#ifndef SOCKGATE_CLIENT_POOL_TRANSFER_LOOP_H_
#define SOCKGATE_CLIENT_POOL_TRANSFER_LOOP_H_

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/broker_client.h"
#include "client/curl_adapter.h"
#include "client/launch/trust_store.h"
#include "client/pool/transfer.h"
#include "client/pool/transfer_sink.h"

namespace sockgate {

class EasyTransfer;

class TransferLoop {
 public:
  struct Options {
    BrokerClient* client = nullptr;
    const launch::TrustStore* trust = nullptr;  // null: libcurl's own ways, which need files
    size_t jobs = 10;                           // transfers under way at once; at least one
    // How long the broker may spend on one handshake: CurlAdapterOptions::connect_deadline.
    std::chrono::milliseconds connect_deadline = std::chrono::seconds(30);
    // In connected mode each handshake keeps all transfers waiting: for one job.
    ConnectMode mode = ConnectMode::kInProgress;
  };

  TransferLoop(const Options& options, TransferSink* sink);
  ~TransferLoop();
  TransferLoop(const TransferLoop&) = delete;
  TransferLoop& operator=(const TransferLoop&) = delete;

  // It waits for its turn. The id must not be that of another one in the loop. A transfer that
  // cannot begin, because of its Check() or for another reason, ends with CURLE_FAILED_INIT.
  void Add(TransferId id, Transfer transfer);

  // It ends with Fate::kCancelled, in OnDone() of this Step() or the next. False: it is not here.
  bool Cancel(TransferId id);

  // The sink takes bodies again: paused transfers go on in the next Step().
  void Resume() { resume_ = true; }

  bool idle() const { return waiting_.empty() && under_way_.empty() && ended_.empty(); }
  size_t waiting() const { return waiting_.size(); }
  size_t under_way() const { return under_way_.size(); }

  // Begins what can begin, waits for sockets, for the descriptors in `also` (their `revents` are
  // set), for libcurl's own timers or the time given, whichever is first, and does what there is to
  // do.
  absl::Status Step(std::chrono::milliseconds wait, absl::Span<curl_waitfd> also = {});

  // Step() until idle().
  absl::Status Run();

 private:
  struct Waiting {
    TransferId id;
    Transfer transfer;
  };
  struct FreeMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  CurlAdapterOptions AdapterOptions();
  void BeginWaiting();
  void Begin(Waiting next);
  void ResumePaused();
  void TakeFinished();
  void TakeCancelled();
  void End(EasyTransfer* transfer, CURLcode code);
  void TellEnded();

  const Options options_;
  TransferSink* const sink_;
  CurlAdapter adapter_;
  // Its connections call the adapter when they close, and handles are removed from it before they
  // end.
  const std::unique_ptr<CURLM, FreeMulti> multi_;
  std::deque<Waiting> waiting_;
  absl::flat_hash_map<TransferId, std::unique_ptr<EasyTransfer>> under_way_;
  std::vector<TransferId> cancelled_;  // of those under way
  std::vector<TransferResult> ended_;  // without having begun; to be told
  bool resume_ = false;
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_POOL_TRANSFER_LOOP_H_
