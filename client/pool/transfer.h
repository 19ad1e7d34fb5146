// Transfer and TransferResult: what is to be fetched, and what became of it.
//
// Process: launcher and worker. Plain values.
// Hostile inputs: a Transfer is its caller's; the URL in it may be a stranger's. A TransferResult is
// made in a worker from what servers sent. One that comes out of a WorkerPool was made by a process
// that may have been taken over: its sizes are bounded, its enums are in range, and all else is what
// that worker chose to say.

#ifndef SOCKGATE_CLIENT_POOL_TRANSFER_H_
#define SOCKGATE_CLIENT_POOL_TRANSFER_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/connect_error.h"

namespace sockgate {

// Chosen by whoever adds the transfer (WorkerPool chooses for its user); never 0.
using TransferId = uint64_t;

struct Transfer {
  std::string url;
  std::string method;                // empty: GET, or POST where there is a body
  std::vector<std::string> headers;  // "Name: value"; "Name:" takes one of libcurl's own away
  std::string body;                  // of the request
  std::string protocols = "http,https";
  std::string redirect_protocols = "http,https";

  bool follow = false;
  uint32_t max_redirects = 20;
  bool compressed = false;          // asks for all that libcurl can decode, and decodes it
  bool fail_on_http_error = false;  // 400 and beyond end it without a body
  // Of the response's body, as it is delivered; then it ends with CURLE_FILESIZE_EXCEEDED. 0: any.
  uint64_t max_filesize = 0;

  // Of each, 0: none of its own.
  std::chrono::milliseconds max_time{0};
  std::chrono::milliseconds connect_timeout{0};

  std::string proxy;      // empty: none, whatever the environment says
  bool insecure = false;  // takes any certificate of the server's

  // A descriptor of the worker's that gets the body; -1: the body is delivered.
  int output = -1;

  // What is wrong with it: no URL, a line break where there may be none, more than
  // transfer_limits.h lets through.
  absl::Status Check() const;

  // "GET", unless it says otherwise or has a body.
  std::string Method() const;

  // Whether to do it twice is as good as once (RFC 9110, 9.2.2), so that it may be repeated when its
  // worker has ended under it.
  bool IsIdempotent() const;
};

// The head of the last response: not of those that redirected, asked for a password or said 100.
struct ResponseHead {
  uint32_t status = 0;  // 0 where the protocol has none
  std::string headers;  // as they came: each line with its line break, the status line first
};

// What the broker's side said to the last address or name that was asked for.
enum class BrokerVerdict : uint8_t {
  kNotAsked,  // a connection was there already, or it did not come so far
  kAllowed,   // `rule`
  kDenied,    // `rule`, `reason`
  kLimited,   // over a limit: `reason`
  kFailed,    // neither: `error`
};

// How it ended.
enum class Fate : uint8_t {
  kEnded,        // by libcurl: `code`
  kCancelled,    // by its owner
  kCrashed,      // it alone was under way in a worker that crashed: `signal`
  kHung,         // likewise, in one that let its time pass without an answer
  kMisbehaved,   // likewise, in one that sent what no worker sends
  kInterrupted,  // its worker ended, perhaps not by its fault, and it may not be repeated
  kNoWorker,     // there is none, and none could be started
};

// In microseconds since the transfer began; 0: it did not come so far. Of the last request, where
// redirects were followed, but for `total`.
struct Timings {
  uint64_t dns = 0;         // the name had an address
  uint64_t connect = 0;     // the connection was there
  uint64_t tls = 0;         // and encrypted
  uint64_t first_byte = 0;  // of the response
  uint64_t redirect = 0;    // spent on those that redirected
  uint64_t total = 0;
};

struct TransferResult {
  TransferId id = 0;
  Fate fate = Fate::kEnded;
  uint32_t code = 0;          // CURLcode; 0: it went well
  uint32_t status = 0;        // of HTTP, FTP...; 0: there was no response
  std::string effective_url;  // after redirects
  std::string content_type;
  std::string address;  // of the peer, the server or the proxy; or where no connection came to be
  uint16_t port = 0;
  uint32_t redirects = 0;
  uint32_t connections = 0;    // opened for it; 0: it went over one that was there
  uint64_t body_bytes = 0;     // delivered, or written to its descriptor
  uint64_t wire_bytes = 0;     // of the body as it came: less, where it was compressed
  uint64_t header_bytes = 0;   // of all responses
  uint64_t request_bytes = 0;  // and headers of all requests
  uint64_t upload_bytes = 0;
  Timings timings;

  BrokerVerdict verdict = BrokerVerdict::kNotAsked;
  ConnectError error;  // ok() unless the verdict is kDenied, kLimited or kFailed
  uint32_t rule = 0;   // that decided; 0: the default did
  int os_error = 0;    // errno of a connection that failed; 0: none

  // Of its last worker where that ended under it; 0: it did not end by a signal.
  int signal = 0;
  uint32_t attempts = 1;

  std::string text;  // one line for a person, with rule and reason of a denial; empty: it went well
  ResponseHead head;

  bool ok() const { return fate == Fate::kEnded && code == 0; }
};

// "ended", "crashed" ...
absl::string_view FateName(Fate fate);
// "not-asked", "allowed" ...
absl::string_view VerdictName(BrokerVerdict verdict);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_POOL_TRANSFER_H_
