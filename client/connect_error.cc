#include "client/connect_error.h"

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

std::string DecidedBy(const ConnectError& error) {
  if (error.rule != 0) return absl::StrCat(" by rule ", error.rule);
  return error.reason == Reason::kNoRuleMatches ? " by the default" : "";
}

absl::string_view LookupProblem(int error_number) {
  switch (error_number) {
    case ENOENT:
      return "the name does not exist";
    case ENODATA:
      return "the name has none of the addresses asked for";
    case EAGAIN:
      return "no name server gave an answer, try again";
    default:
      return "the lookup failed";
  }
}

int ErrnoOf(ConnectError::Kind kind) {
  using Kind = ConnectError::Kind;
  switch (kind) {
    case Kind::kNone:
      return 0;
    case Kind::kTableFull:
      return EMFILE;
    case Kind::kNoAnswer:
      return ETIMEDOUT;
    case Kind::kBadRequest:
      return EINVAL;
    case Kind::kBadReply:
      return EPROTO;
    case Kind::kNoResolver:
      return EOPNOTSUPP;
    default:
      return EPIPE;
  }
}

const char* WhoseLimit(Reason reason) {
  switch (reason) {
    case Reason::kAuditLog:
    case Reason::kDescriptors:
    case Reason::kMemory:
    case Reason::kStopping:
      return "the broker cannot serve this now";
    default:
      return "over a limit of the role";
  }
}

}  // namespace

std::string ConnectError::ToString() const {
  if (!WillReconnect()) return What();
  return absl::StrCat(What(), "; the client connects to it anew, try again in ", retry_after_ms,
                      " ms");
}

std::string ConnectError::What() const {
  switch (kind) {
    case Kind::kNone:
      return "no error";
    case Kind::kDenied:
      return absl::StrCat("denied", DecidedBy(*this), " (", Word(reason), ")");
    case Kind::kNetwork:
      return absl::StrCat("allowed, but the connection failed: ", strerror(error_number));
    case Kind::kLimited:
      return absl::StrCat(WhoseLimit(reason), " (", Word(reason), "), try again in ",
                          retry_after_ms, " ms");
    case Kind::kBadRequest:
      return reason == Reason::kBadName
                 ? "is no name that could be looked up (bad-name)"
                 : absl::StrCat("cannot be connected to (", Word(reason), ")");
    case Kind::kLookup:
      return absl::StrCat("allowed, but ", LookupProblem(error_number));
    case Kind::kNoResolver:
      return "this broker does not resolve names";
    case Kind::kUnsupported:
      return "only TCP, UDP and UNIX sockets can be brokered";
    case Kind::kTableFull:
      return "this process has no descriptor left (raise its RLIMIT_NOFILE)";
    case Kind::kNoAnswer:
      return "the broker did not answer in time";
    case Kind::kBrokerGone:
      return "the broker has gone or closed the channel (its audit log says why)";
    case Kind::kBadReply:
      return "the broker's reply is not sockgate's protocol";
  }
  return "?";
}

ConnectError ConnectError::FromResult(const Result& result) {
  ConnectError error;
  error.reason = result.reason;
  error.rule = result.rule;
  error.retry_after_ms = result.retry_after_ms;
  switch (result.outcome) {
    case Outcome::kConnected:
    case Outcome::kStarted:
    case Outcome::kOpened:
    case Outcome::kResolved:
      break;
    case Outcome::kDenied:
      error.kind = Kind::kDenied;
      error.error_number = EACCES;
      break;
    case Outcome::kFailed:
      error.kind = Kind::kNetwork;
      // A firewall's EACCES must not look like the policy's.
      error.error_number = result.error == EACCES ? EPERM : static_cast<int>(result.error);
      break;
    case Outcome::kLimited:
      error.kind = Kind::kLimited;
      error.error_number = EAGAIN;
      break;
    case Outcome::kBadRequest:
      error.kind = Kind::kBadRequest;
      error.error_number = EINVAL;
      break;
  }
  return error;
}

ConnectError ConnectError::Local(Kind kind, int error_number) {
  ConnectError error;
  error.kind = kind;
  error.error_number = error_number;
  return error;
}

ConnectError ConnectError::Local(Kind kind) { return Local(kind, ErrnoOf(kind)); }

}  // namespace sockgate
