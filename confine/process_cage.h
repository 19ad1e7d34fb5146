// ProcessCage: all that a process of the broker's side gives up, made ready so that only the kernel
// has to be asked when it is put on.
//
// Process: Build in the process or in its parent; PutOn in the process, before it reads the first
// hostile byte.
// Ownership: a value that owns the Landlock ruleset's descriptor, CLOEXEC.
// Threads: must be the only one: Landlock, capabilities and no_new_privs belong to threads.
// Hostile inputs: none.
// Failure: Build says what this kernel lacks; PutOn names the layer, and the process should end,
// for some may be in force.
//
// In this order: no core file, no_new_privs, capabilities, not dumpable, Landlock, and the filter
// at last, which then need not let any of that through.

#ifndef SOCKGATE_CONFINE_PROCESS_CAGE_H_
#define SOCKGATE_CONFINE_PROCESS_CAGE_H_

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "confine/cage_level.h"
#include "confine/capabilities.h"
#include "confine/landlock_rules.h"
#include "confine/profile.h"
#include "confine/seccomp_filter.h"

namespace sockgate::confine {

class ProcessCage {
 public:
  // `level` decides about Landlock; with kNone it is left out, as with kWithoutLandlock.
  // Unavailable: kFull, and this kernel has no Landlock, or has it turned off.
  static absl::StatusOr<ProcessCage> Build(CageLevel level, const Profile& profile,
                                           const LandlockSpec& landlock);

  // What is kept must be permitted.
  absl::Status PutOn(CapabilitySet keep = 0) const;

  // 0: without Landlock.
  int landlock_abi() const { return landlock_.has_value() ? landlock_->abi() : 0; }
  // To be kept open until PutOn, by a child too; -1: none.
  int descriptor() const { return landlock_.has_value() ? landlock_->descriptor() : -1; }

 private:
  ProcessCage(SeccompFilter filter, std::optional<LandlockRules> landlock)
      : filter_(std::move(filter)), landlock_(std::move(landlock)) {}

  SeccompFilter filter_;
  std::optional<LandlockRules> landlock_;
};

}  // namespace sockgate::confine

#endif  // SOCKGATE_CONFINE_PROCESS_CAGE_H_
