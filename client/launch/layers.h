// Layers: a Confinement made ready, so that nothing is left to open or allocate when it is put on.
//
// Process: Build in the launcher, or in the worker that confines itself; the rest in the worker.
// Ownership: a value that owns the Landlock ruleset's descriptor, CLOEXEC.
// Threads: both are async-signal-safe to put on. The filter binds all threads of the process,
// Landlock the calling one.
// Hostile inputs: none.
// Failure: an errno; the layers before are in force, so the process should end.

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

  // Landlock, if there is any to put on. With more than one thread it would reach only the calling
  // one, so then it is left out, or fails with EBUSY where it is required. 0 or an errno;
  // `*in_force` is whether it was put on.
  [[nodiscard]] int PutOnLandlock(int threads, bool* in_force) const;

  // The last layer. 0 or an errno.
  [[nodiscard]] int InstallFilter() const { return filter_.Install(); }

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

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_LAYERS_H_
