// ConnectError: why the broker's side gave no socket, or no address for a name, for a person and
// for a program.
//
// Process: worker. A value type.

#ifndef SOCKGATE_CLIENT_CONNECT_ERROR_H_
#define SOCKGATE_CLIENT_CONNECT_ERROR_H_

#include <cstdint>
#include <string>

#include "proto/messages.h"

namespace sockgate {

struct ConnectError {
  enum class Kind : uint8_t {
    kNone,
    kDenied,       // the policy refuses: `rule`, `reason`
    kNetwork,      // the policy allows, the system or the network does not: `error_number`
    kLimited,      // over a limit of the role: `reason`, `retry_after_ms`
    kBadRequest,   // it asks for what cannot be: `reason`
    kLookup,       // the policy allows the name, there is no address for it: `error_number`
    kNoResolver,   // this broker resolves no names
    kUnsupported,  // neither TCP, UDP nor UNIX, so it was not even asked for
    kTableFull,    // the broker sent a socket, this process has no descriptor left for it
    kNoAnswer,     // the broker did not answer in time
    kBrokerGone,   // the broker has ended, or closed the channel
    kBadReply,  // what came back is not sockgate's protocol, or no version of it that this library
                // speaks; the channel is closed
  };

  Kind kind = Kind::kNone;
  Reason reason = Reason::kNone;
  uint32_t rule = 0;     // the policy's number of the deciding rule; 0: the default decided
  int error_number = 0;  // what errno is set to; EACCES exactly when the policy denied.
                         // For kLookup ENOENT, ENODATA, EAGAIN or EIO: PROTOCOL.md, "Resolve".
  uint32_t retry_after_ms = 0;  // of a limit; or when a broker that has gone is looked for again

  bool ok() const { return kind == Kind::kNone; }

  // The broker has gone, and a later call will look for the next one.
  bool WillReconnect() const { return retry_after_ms != 0 && kind != Kind::kLimited; }

  // One line without a full stop: "denied by rule 3 (deny-rule)".
  std::string ToString() const;

  // From what the broker said. kNone for an outcome that came with a descriptor.
  static ConnectError FromResult(const Result& result);
  static ConnectError Local(Kind kind, int error_number);
  // With the number that goes with what may go wrong on a channel; kNone has 0.
  static ConnectError Local(Kind kind);

 private:
  std::string What() const;
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_CONNECT_ERROR_H_
