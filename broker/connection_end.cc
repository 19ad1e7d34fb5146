#include "broker/connection_end.h"

namespace sockgate {

// No default label: the compiler then names an enumerator without a word.
absl::string_view Word(ConnectionEnd::By by) {
  switch (by) {
    case ConnectionEnd::By::kWorker:
      return "worker";
    case ConnectionEnd::By::kPeer:
      return "peer";
    case ConnectionEnd::By::kReset:
      return "reset";
    case ConnectionEnd::By::kAge:
      return "age";
    case ConnectionEnd::By::kPolicy:
      return "policy";
    case ConnectionEnd::By::kRevoked:
      return "revoked";
    case ConnectionEnd::By::kWorkerGone:
      return "worker-gone";
    case ConnectionEnd::By::kUntracked:
      return "untracked";
    case ConnectionEnd::By::kBrokerStops:
      return "broker-stops";
  }
  return "?";
}

}  // namespace sockgate
