// TransferSink: hears of the transfers of a TransferLoop.
//
// Process: the worker, confined.
// Threads: all calls come in the loop's thread, out of its Step(), and out of C code, so they must
// not throw. Each may call the loop's Add(), Cancel() and Resume(); none may call Step() or Run().
// Strings and heads are valid for the call alone.
// Hostile inputs: heads, bodies, and the texts in a result are the server's.

#ifndef SOCKGATE_CLIENT_POOL_TRANSFER_SINK_H_
#define SOCKGATE_CLIENT_POOL_TRANSFER_SINK_H_

#include <curl/curl.h>

#include "absl/strings/string_view.h"
#include "client/broker_client.h"
#include "client/pool/transfer.h"
#include "proto/endpoint.h"

namespace sockgate {

// What a piece of a body meets.
enum class Taken {
  kYes,
  kNotNow,  // the transfer pauses until TransferLoop::Resume(), and the same piece comes again
  kNever,   // the transfer ends with CURLE_WRITE_ERROR
};

class TransferSink {
 public:
  virtual ~TransferSink() = default;

  // It begins: its handle has all its options. The last word on them, for what Transfer has no
  // field for. Leave those of CurlAdapter and TrustStore, CURLOPT_PRIVATE, and the functions for
  // bodies and headers.
  virtual void OnBegin(TransferId /*id*/, CURL* /*easy*/) {}

  // The broker's answer to an attempt to connect.
  virtual void OnConnect(TransferId /*id*/, const Endpoint& /*endpoint*/,
                         const ConnectResult& /*result*/) {}

  // Before the first piece of the body; not called for a transfer that ends without one.
  virtual void OnHead(TransferId /*id*/, const ResponseHead& /*head*/) {}

  // At most kMaxPieceBytes. Not called where Transfer::output has the body.
  virtual Taken OnBody(TransferId id, absl::string_view piece) = 0;

  // The last that is heard of it. The handle still has its options and information, until this
  // returns; null for a transfer that never began.
  virtual void OnDone(const TransferResult& result, CURL* easy) = 0;
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_POOL_TRANSFER_SINK_H_
