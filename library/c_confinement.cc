#include "library/c_confinement.h"

#include <string>
#include <utility>

#include "client/launch/confine.h"
#include "client/launch/profile_builder.h"
#include "library/c_error.h"

namespace sockgate::c {
namespace {

using launch::Confinement;

template <typename Take>
void ForEach(const char* const* list, const Take& take) {
  for (; list != nullptr && *list != nullptr; ++list) take(*list);
}

absl::StatusOr<launch::Profile> BuildProfile(const sockgate_confinement& wanted, bool files) {
  launch::ProfileBuilder builder;
  if (files) builder.AllowFiles();
  ForEach(wanted.calls, [&](const char* call) { builder.Allow(call); });
  return builder.Build();
}

}  // namespace

absl::StatusOr<Confinement> ConfinementFrom(const sockgate_confinement* wanted) {
  Confinement confinement;
  if (wanted == nullptr) return confinement;
  const auto taken = TakeStruct(*wanted);
  if (!taken.has_value()) {
    return absl::InvalidArgumentError("confinement has no size, or asks for what is newer");
  }
  if (taken->landlock != SOCKGATE_IF_POSSIBLE && taken->landlock != SOCKGATE_REQUIRED) {
    return absl::InvalidArgumentError("landlock is none of SOCKGATE_IF_POSSIBLE and _REQUIRED");
  }
  if (taken->landlock == SOCKGATE_REQUIRED) confinement.landlock = launch::Need::kRequired;
  ForEach(taken->read, [&](const char* path) { confinement.files.push_back(launch::Read(path)); });
  ForEach(taken->read_write,
          [&](const char* path) { confinement.files.push_back(launch::ReadWrite(path)); });
  if (taken->profile == SOCKGATE_PROFILE_FETCHER_LOG) {
    confinement.profile = launch::FetcherLogProfile();
  } else if (taken->profile != SOCKGATE_PROFILE_FETCHER) {
    return absl::InvalidArgumentError("there is no such profile");
  } else if (taken->calls != nullptr && *taken->calls != nullptr) {
    auto profile = BuildProfile(*taken, !confinement.files.empty());
    if (!profile.ok()) return profile.status();
    confinement.profile = *std::move(profile);
  }
  return confinement;
}

void Tell(const launch::InForce& in_force, sockgate_in_force* out) {
  if (out == nullptr) return;
  out->landlock_abi = in_force.landlock_abi;
  out->undumpable = in_force.undumpable ? 1 : 0;
  CopyText(in_force.profile, out->profile, sizeof(out->profile));
  CopyText(in_force.ToString(), out->text, sizeof(out->text));
}

}  // namespace sockgate::c

using namespace sockgate;     // NOLINT(google-build-using-namespace)
using namespace sockgate::c;  // NOLINT(google-build-using-namespace)

int sockgate_confine(const sockgate_confinement* wanted, sockgate_in_force* in_force,
                     sockgate_error* error) {
  return Guarded(error, [&] {
    if (!IsWritable(in_force)) {
      return Fail(error, SOCKGATE_BAD_ARGUMENT, "in_force has no size");
    }
    const auto confinement = ConfinementFrom(wanted);
    if (!confinement.ok()) return Fail(error, confinement.status());
    const auto holds = launch::Confine(*confinement);
    if (!holds.ok()) return Fail(error, holds.status());
    Tell(*holds, in_force);
    return int{SOCKGATE_OK};
  });
}
