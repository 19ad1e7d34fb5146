// Layers: a Confinement made ready, so that nothing is left to open or allocate when it is put on.
//
// Process: Build in the launcher, or in the worker that confines itself; PutOn in the worker.
// Ownership: a value that owns the Landlock ruleset's descriptor, CLOEXEC.
// Threads: PutOn is async-signal-safe. The filter binds all threads of the process, Landlock the
// calling one.
// Hostile inputs: none.
// Failure: PutOn ends at the first layer that fails, with a part of them in force.

#ifndef SOCKGATE_CLIENT_LAUNCH_LAYERS_H_
#define SOCKGATE_CLIENT_LAUNCH_LAYERS_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "client/launch/confinement.h"
#include "confine/seccomp_filter.h"

namespace sockgate::launch {

// Whose file accesses Landlock is to allow for: a program that is still to be loaded reads and
// executes everywhere.
enum class Stage { kLoaded, kToBeLoaded };

class Layers {
 public:
  // Errors: those of SeccompFilter::Build and LandlockRules::Build; FailedPrecondition where
  // Landlock is required and this kernel has none, or too old a one.
  static absl::StatusOr<Layers> Build(const Confinement& wanted, Stage stage);

  struct Outcome {
    int error = 0;                 // 0: all is well
    bool landlock_failed = false;  // or else the filter
    bool landlocked = false;
  };
  // `threads`: how many the process has. With more than one Landlock is left out, or, where it is
  // required, fails with EBUSY.
  Outcome PutOn(int threads) const;

  const std::string& profile() const { return profile_; }
  int landlock_abi() const { return landlock_.has_value() ? landlock_->abi() : 0; }
  // -1: none.
  int landlock_descriptor() const { return landlock_.has_value() ? landlock_->descriptor() : -1; }

 private:
  Layers(std::string profile, confine::SeccompFilter filter)
      : profile_(std::move(profile)), filter_(std::move(filter)) {}

  std::string profile_;
  confine::SeccompFilter filter_;
  std::optional<confine::LandlockRules> landlock_;
  bool landlock_required_ = false;
};

// Of this process, by /proc; 0 where nobody says. Async-signal-safe.
int CountThreads();

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_LAYERS_H_
