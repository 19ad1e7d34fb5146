// What one worker of the soak does, in its own process: batches of requests of all kinds, and now
// and then what no good worker does.

#ifndef SOCKGATE_TESTS_SOAK_SOAK_WORKER_H_
#define SOCKGATE_TESTS_SOAK_SOAK_WORKER_H_

#include <string>
#include <vector>

#include "proto/endpoint.h"
#include "tests/soak/soak_board.h"

namespace sockgate::soak {

struct SoakPlan {
  std::string path;               // of the broker
  std::vector<Endpoint> targets;  // where somebody listens, mostly
};

// Until the process is killed. Comes again by the path when its channel has ended.
[[noreturn]] void WorkForSoak(const SoakPlan& plan, unsigned seed, SoakSlot* slot);

}  // namespace sockgate::soak

#endif  // SOCKGATE_TESTS_SOAK_SOAK_WORKER_H_
