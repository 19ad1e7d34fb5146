#include "proto/messages.h"

namespace sockgate {

// No default label anywhere below: the compiler then names an enumerator without a word.

absl::string_view Word(Transport transport) {
  switch (transport) {
    case Transport::kStream:
      return "stream";
    case Transport::kDatagram:
      return "datagram";
  }
  return "?";
}

absl::string_view Word(ConnectMode mode) {
  switch (mode) {
    case ConnectMode::kConnected:
      return "connected";
    case ConnectMode::kInProgress:
      return "in-progress";
  }
  return "?";
}

absl::string_view Word(Purpose purpose) {
  switch (purpose) {
    case Purpose::kTransfer:
      return "transfer";
    case Purpose::kDirect:
      return "direct";
  }
  return "?";
}

absl::string_view Word(NameFamily family) {
  switch (family) {
    case NameFamily::kAny:
      return "any";
    case NameFamily::kIpv4:
      return "v4";
    case NameFamily::kIpv6:
      return "v6";
  }
  return "?";
}

absl::string_view Word(Outcome outcome) {
  switch (outcome) {
    case Outcome::kConnected:
      return "connected";
    case Outcome::kStarted:
      return "started";
    case Outcome::kOpened:
      return "opened";
    case Outcome::kResolved:
      return "resolved";
    case Outcome::kDenied:
      return "denied";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kLimited:
      return "limited";
    case Outcome::kBadRequest:
      return "bad-request";
  }
  return "?";
}

absl::string_view Word(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "none";
    case Reason::kNoRuleMatches:
      return "no-rule-matches";
    case Reason::kDenyRule:
      return "deny-rule";
    case Reason::kTransport:
      return "transport";
    case Reason::kPortZero:
      return "port-zero";
    case Reason::kOutstanding:
      return "too-many-outstanding";
    case Reason::kPending:
      return "too-many-pending";
    case Reason::kChannels:
      return "too-many-channels";
    case Reason::kAuditLog:
      return "audit-log-full";
    case Reason::kDescriptors:
      return "broker-out-of-descriptors";
    case Reason::kUnspecified:
      return "unspecified-address";
    case Reason::kSpecialPurpose:
      return "special-purpose-address";
    case Reason::kEmbeddedAddress:
      return "embedded-address";
    case Reason::kOwnAddress:
      return "own-address";
    case Reason::kRoleRemoved:
      return "role-removed";
    case Reason::kNotConfined:
      return "not-confined";
    case Reason::kRate:
      return "too-many-per-second";
    case Reason::kLookups:
      return "too-many-lookups";
    case Reason::kBadName:
      return "bad-name";
    case Reason::kConnections:
      return "too-many-connections";
    case Reason::kRoleLimit:
      return "role-at-its-limit";
    case Reason::kStopping:
      return "broker-stops";
    case Reason::kMemory:
      return "broker-out-of-memory";
  }
  return "?";
}

}  // namespace sockgate
