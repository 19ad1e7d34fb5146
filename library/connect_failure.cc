#include "library/connect_failure.h"

#include <string>

#include "library/c_error.h"
#include "proto/messages.h"

namespace sockgate::c {
namespace {

// Spelled out, since the numbers in sockgate.h must stay whatever becomes of these.
int CodeOf(ConnectError::Kind kind) {
  using Kind = ConnectError::Kind;
  switch (kind) {
    case Kind::kNone:
      return SOCKGATE_OK;
    case Kind::kDenied:
      return SOCKGATE_DENIED;
    case Kind::kNetwork:
      return SOCKGATE_NETWORK;
    case Kind::kLimited:
      return SOCKGATE_LIMITED;
    case Kind::kBadRequest:
      return SOCKGATE_BAD_REQUEST;
    case Kind::kLookup:
      return SOCKGATE_LOOKUP;
    case Kind::kNoResolver:
      return SOCKGATE_NO_RESOLVER;
    case Kind::kUnsupported:
      return SOCKGATE_UNSUPPORTED;
    case Kind::kTableFull:
      return SOCKGATE_TABLE_FULL;
    case Kind::kNoAnswer:
      return SOCKGATE_NO_ANSWER;
    case Kind::kBrokerGone:
      return SOCKGATE_BROKER_GONE;
    case Kind::kBadReply:
      return SOCKGATE_BAD_REPLY;
  }
  return SOCKGATE_SYSTEM;
}

}  // namespace

int Fail(sockgate_error* error, const ConnectError& from, absl::string_view text) {
  const int code = CodeOf(from.kind);
  const std::string own = from.ToString();
  Fail(error, code, text.empty() ? absl::string_view(own) : text);
  if (error == nullptr) return code;
  error->error_number = from.error_number;
  error->rule = from.rule;
  error->retry_after_ms = from.retry_after_ms;
  if (from.reason != Reason::kNone) {
    CopyText(Word(from.reason), error->reason, sizeof(error->reason));
  }
  return code;
}

}  // namespace sockgate::c
