#include "confine/process_cage.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "confine/thread_count.h"

namespace sockgate::confine {
namespace {

absl::Status Outcome(int error, absl::string_view layer) {
  return error == 0 ? absl::OkStatus() : absl::ErrnoToStatus(error, layer);
}

// Where nobody says how many there are, the caller's word has to do.
absl::Status CheckOnlyThread() {
  const int threads = CountThreads();
  if (threads <= 1) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("there are ", threads, " threads: confine before they start"));
}

// A core file would hold what the process knows, and be written where the user may write.
int ForbidCore() {
  const rlimit none = {0, 0};
  return setrlimit(RLIMIT_CORE, &none) == 0 ? 0 : errno;
}

int Control(int option, unsigned long value) {
  return prctl(option, value, 0, 0, 0) == 0 ? 0 : errno;
}

}  // namespace

absl::StatusOr<ProcessCage> ProcessCage::Build(CageLevel level, const Profile& profile,
                                               const LandlockSpec& landlock) {
  auto filter = SeccompFilter::Build(profile);
  if (!filter.ok()) return filter.status();
  std::optional<LandlockRules> rules;
  if (level == CageLevel::kFull || level == CageLevel::kIfPossible) {
    auto built = LandlockRules::Build(landlock);
    if (built.ok()) {
      rules.emplace(*std::move(built));
    } else if (level == CageLevel::kFull || !absl::IsUnavailable(built.status())) {
      return built.status();
    }
  }
  return ProcessCage(*std::move(filter), std::move(rules));
}

absl::Status ProcessCage::PutOn(CapabilitySet keep) const {
  absl::Status status = CheckOnlyThread();
  if (status.ok()) status = Outcome(ForbidCore(), "no core file");
  if (status.ok()) status = Outcome(Control(PR_SET_NO_NEW_PRIVS, 1), "no_new_privs");
  if (status.ok()) status = Outcome(KeepOnlyCapabilities(keep), "capabilities");
  if (status.ok()) status = Outcome(Control(PR_SET_DUMPABLE, 0), "not dumpable");
  if (status.ok() && landlock_.has_value()) status = Outcome(landlock_->Enforce(), "Landlock");
  if (!status.ok()) return status;
  return Outcome(filter_.Install(), "seccomp");
}

}  // namespace sockgate::confine
