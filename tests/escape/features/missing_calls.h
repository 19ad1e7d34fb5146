// MissingCalls: what a worker would have died of.
//
// A piece runs in a child under the fetcher's own filter, but for one thing: a call that the
// profile kills for happens, and is written down here, with all six
// registers for arguments, of which the call may use fewer.
//
// Process: the test, single-threaded.

#ifndef SOCKGATE_TESTS_ESCAPE_FEATURES_MISSING_CALLS_H_
#define SOCKGATE_TESTS_ESCAPE_FEATURES_MISSING_CALLS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/broker_process.h"
#include "tests/integration/confined.h"

namespace sockgate::escape {

struct MissingCalls {
  std::string text;                // what the piece returned
  std::vector<std::string> calls;  // each once: "getppid(0, 0, 0, 0, 0, 0)"
};

// Unavailable: this host lets no process be watched so.
absl::StatusOr<MissingCalls> FindMissingCalls(BrokerProcess& broker,
                                              const testing::ConfinedRun::Piece& piece);

}  // namespace sockgate::escape

#endif  // SOCKGATE_TESTS_ESCAPE_FEATURES_MISSING_CALLS_H_
