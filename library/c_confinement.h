// What a caller in C wants taken away, and what holds.
//
// Process: launcher or worker, before confinement. Threads: any, does not block.

#ifndef SOCKGATE_LIBRARY_C_CONFINEMENT_H_
#define SOCKGATE_LIBRARY_C_CONFINEMENT_H_

#include "absl/status/statusor.h"
#include "client/launch/confinement.h"
#include "library/sockgate.h"

namespace sockgate::c {

// Null: what SOCKGATE_CONFINEMENT_INIT has. InvalidArgument says what cannot be.
absl::StatusOr<launch::Confinement> ConfinementFrom(const sockgate_confinement* wanted);

// `out` may be null.
void Tell(const launch::InForce& in_force, sockgate_in_force* out);

}  // namespace sockgate::c

#endif  // SOCKGATE_LIBRARY_C_CONFINEMENT_H_
