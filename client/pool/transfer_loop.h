// TransferLoop: performs many transfers at once, in one thread, on libcurl's multi interface.
//
//   TransferLoop::Options options;
//   options.client = client.get();            // met before confinement
//   TransferLoop loop(std::move(options), &sink);
//   for (TransferId id = 1; ...) loop.Add(id, transfer);
//   loop.Run();                               // sink.OnDone() for each
//
// Process: the worker, confined. ArmNameShim() and curl_global_init() have been called before
// confinement, SIGPIPE is ignored.
// Ownership: owns its handles and connections. Client, trust store and sink are lent and must
// outlive it.
// Threads: one at a time. Blocking: Step() and Run() wait, for as long as they say. The handshakes
// are the broker's (in-progress mode): each attempt to connect takes one local round trip. A
// descriptor of Transfer::output is written without regard to how long that takes.
// Memory: each transfer under way has what libcurl keeps for it (some 100 KiB with TLS, and 16 KiB
// of a body that the sink does not take; more where it is decompressed) and kMaxHeaderBytes of
// headers; each that waits has its Transfer.
// Hostile inputs: all that servers send. What is kept of it is bounded (transfer_limits.h).
// Failure: each transfer's own, in its result; a transfer that cannot be begun ends with a result
// too. Statuses are of the loop itself: libcurl has no memory.
//
// Sources: libcurl-multi(3), curl_multi_poll(3), CURLOPT_WRITEFUNCTION(3).

#ifndef SOCKGATE_CLIENT_POOL_TRANSFER_LOOP_H_
#define SOCKGATE_CLIENT_POOL_TRANSFER_LOOP_H_

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/broker_client.h"
#include "client/curl_adapter.h"
#include "client/launch/trust_store.h"
#include "client/pool/transfer.h"

namespace sockgate {

class EasyTransfer;

// What a piece of a body meets.
enum class Taken {
  kYes,
  kNotNow,  // the transfer pauses until Resume(), and the same piece comes again
  kNever,   // the transfer ends with CURLE_WRITE_ERROR
};

// Hears of the transfers. All calls come in the loop's thread, out of Step(), and out of C code, so
// they must not throw. Each may call Add() and Cancel(); none may call Step() or Run(). The strings
// are valid for the call alone.
class TransferSink {
 public:
  virtual ~TransferSink() = default;

  // It begins: its handle has all its options. The last word on them, for what Transfer has no
  // field for. CURLOPT_PRIVATE and those of CurlAdapter and TrustStore are not to be changed, nor
  // the write and the header function.
  virtual void OnBegin(TransferId /*id*/, CURL* /*easy*/) {}

  // The broker's answer to an attempt to connect.
  virtual void OnConnect(TransferId /*id*/, const Endpoint& /*endpoint*/,
                         const ConnectResult& /*result*/) {}

  // Before the first piece of the body; not called for a transfer that ends without one.
  virtual void OnHead(TransferId /*id*/, const ResponseHead& /*head*/) {}

  // At most kMaxPieceBytes. Not called where Transfer::output has the body.
  virtual Taken OnBody(TransferId id, absl::string_view piece) = 0;

  // The last that is heard of it; the handle's options and information are still there.
  virtual void OnDone(const TransferResult& result, CURL* easy) = 0;
};

class TransferLoop {
 public:
  struct Options {
    BrokerClient* client = nullptr;
    const launch::TrustStore* trust = nullptr;  // null: libcurl's own ways, which need files
    size_t jobs = 10;                           // transfers under way at once
    // How long the broker may spend on one handshake. CurlAdapterOptions::connect_deadline.
    std::chrono::milliseconds connect_deadline = std::chrono::seconds(30);
    size_t idle_connections = 0;  // kept for reuse; 0: as many as jobs
  };

  TransferLoop(Options options, TransferSink* sink);
  ~TransferLoop();
  TransferLoop(const TransferLoop&) = delete;
  TransferLoop& operator=(const TransferLoop&) = delete;

  // It waits for its turn. The id must not be that of another one in the loop. A transfer whose
  // Check() fails ends with CURLE_BAD_FUNCTION_ARGUMENT.
  void Add(TransferId id, Transfer transfer);

  // It ends, with Fate::kCancelled in OnDone() before the next Step() returns. False: it is not
  // here.
  bool Cancel(TransferId id);

  // The sink takes bodies again: paused transfers go on in the next Step().
  void Resume();

  // Nothing waits and nothing is under way.
  bool idle() const { return waiting_.empty() && under_way_.empty(); }
  size_t waiting() const { return waiting_.size(); }
  size_t under_way() const { return under_way_.size(); }

  // Begins what can be begun, waits for sockets, descriptors in `also` (their `revents` are set) or
  // the time, whichever is first, and does what there is to do.
  absl::Status Step(std::chrono::milliseconds wait, absl::Span<curl_waitfd> also = {});

  // Step() until idle().
  absl::Status Run();

 private:
  friend class EasyTransfer;
  struct Waiting {
    TransferId id;
    Transfer transfer;
  };
  struct FreeMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  const Options options_;
  TransferSink* const sink_;
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_POOL_TRANSFER_LOOP_H_
