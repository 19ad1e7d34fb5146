#include "client/launch/confine.h"

#include <dirent.h>
#include <sys/prctl.h>

#include <cerrno>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/launch/implied_exec.h"
#include "client/launch/layers.h"
#include "confine/capabilities.h"
#include "confine/thread_count.h"

namespace sockgate::launch {
namespace {

// A thread that keeps them could be made to use them for the others.
bool HoldsCapabilities(const std::string& status_file) {
  std::ifstream file(status_file);
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, "CapPrm:")) return !absl::EndsWith(line, "\t0000000000000000");
  }
  return true;
}

absl::Status CheckOtherThreads() {
  const std::unique_ptr<DIR, int (*)(DIR*)> tasks(opendir("/proc/self/task"), closedir);
  if (tasks == nullptr) return absl::ErrnoToStatus(errno, "/proc/self/task");
  while (const dirent* entry = readdir(tasks.get())) {
    if (entry->d_name[0] == '.') continue;
    if (HoldsCapabilities(absl::StrCat("/proc/self/task/", entry->d_name, "/status"))) {
      return absl::FailedPreconditionError(
          absl::StrCat("thread ", entry->d_name, " holds capabilities: confine before it starts"));
    }
  }
  return absl::OkStatus();
}

absl::Status GiveUpPrivileges(int threads) {
  if (const int error = ForbidImpliedExec()) return absl::ErrnoToStatus(error, "personality");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return absl::ErrnoToStatus(errno, "no_new_privs");
  }
  if (const int error = confine::KeepOnlyCapabilities(0)) {
    return absl::ErrnoToStatus(error, "capabilities");
  }
  if (confine::PermittedCapabilities() != 0) {
    return absl::InternalError("capabilities are held still");
  }
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return absl::ErrnoToStatus(errno, "dumpable");
  return threads == 1 ? absl::OkStatus() : CheckOtherThreads();
}

absl::Status LandlockError(int error, int threads) {
  if (error != EBUSY) return absl::ErrnoToStatus(error, "Landlock");
  return absl::FailedPreconditionError(
      threads == 0
          ? std::string("Landlock is required, and without /proc nobody says how many threads "
                        "it would have to reach")
          : absl::StrCat("Landlock is required and reaches one thread only; there are ", threads,
                         ": confine before they start"));
}

}  // namespace

absl::StatusOr<InForce> Confine(const Confinement& wanted) {
  const auto layers = Layers::Build(wanted, Stage::kLoaded);
  if (!layers.ok()) return layers.status();
  const int threads = confine::CountThreads();
  if (absl::Status status = GiveUpPrivileges(threads); !status.ok()) return status;
  InForce in_force;
  in_force.profile = layers->profile();
  in_force.undumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
  bool landlocked = false;
  if (const int error = layers->PutOnLandlock(threads, &landlocked)) {
    return LandlockError(error, threads);
  }
  in_force.landlock_abi = landlocked ? layers->landlock_abi() : 0;
  if (const int error = layers->InstallFilter()) {
    return absl::ErrnoToStatus(error, absl::StrCat("profile ", layers->profile(), ": seccomp"));
  }
  return in_force;
}

absl::StatusOr<InForce> Confine(const Profile& profile) {
  Confinement wanted;
  wanted.profile = profile;
  return Confine(wanted);
}

}  // namespace sockgate::launch
