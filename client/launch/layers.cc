#include "client/launch/layers.h"

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "client/launch/profile_builder.h"

namespace sockgate::launch {
namespace {

using confine::LandlockRules;
using confine::LandlockSpec;
using confine::SeccompFilter;

absl::StatusOr<Profile> ChooseProfile(const Confinement& wanted, Stage stage) {
  if (wanted.profile.has_value()) return *wanted.profile;
  if (stage == Stage::kToBeLoaded) return ProgramProfile();
  if (wanted.files.empty()) return FetcherProfile();
  return ProfileBuilder("fetcher with files").AllowFiles().Build();
}

// Without a rule for it the child would be killed, and its launcher not know by what.
absl::Status CheckExec(const Profile& profile, Stage stage) {
  const auto is_exec = [](const Rule& rule) { return rule.syscall == "execve"; };
  if (stage == Stage::kLoaded || !(profile.fallback == kKillProcess) ||
      std::any_of(profile.rules.begin(), profile.rules.end(), is_exec)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "profile ", profile.name, " kills at execve(2): start the program under ProgramProfile and ",
      "let it call Confine itself"));
}

bool IsLandlockRequired(const Confinement& wanted) {
  return wanted.landlock == Need::kRequired || !wanted.files.empty();
}

absl::StatusOr<LandlockRules> BuildLandlock(const Confinement& wanted, Stage stage) {
  LandlockSpec spec;
  spec.files = wanted.files;
  if (stage == Stage::kToBeLoaded) spec.files.push_back(confine::ReadExecute("/"));
  return LandlockRules::Build(spec);
}

// Before the third, what may only be read may be emptied (open(2), O_TRUNC).
int LeastAbi(const Confinement& wanted) {
  constexpr int kKnowsTruncation = 3;
  const bool all_written =
      std::all_of(wanted.files.begin(), wanted.files.end(), confine::GrantsWriting);
  return std::max(wanted.least_landlock_abi, all_written ? 1 : kKnowsTruncation);
}

absl::Status TooOld(int abi, int least) {
  return absl::FailedPreconditionError(
      absl::StrCat("Landlock is required from ABI ", least, " on, and this kernel's is ", abi));
}

}  // namespace

absl::StatusOr<Layers> Layers::Build(const Confinement& wanted, Stage stage) {
  const auto profile = ChooseProfile(wanted, stage);
  if (!profile.ok()) return profile.status();
  if (absl::Status status = CheckExec(*profile, stage); !status.ok()) return status;
  auto filter = SeccompFilter::Build(*profile);
  if (!filter.ok()) return filter.status();
  Layers layers(profile->name, *std::move(filter));
  if (wanted.landlock == Need::kNo && wanted.files.empty()) return layers;
  layers.landlock_required_ = IsLandlockRequired(wanted);
  auto landlock = BuildLandlock(wanted, stage);
  if (landlock.ok()) {
    if (layers.landlock_required_ && landlock->abi() < LeastAbi(wanted)) {
      return TooOld(landlock->abi(), LeastAbi(wanted));
    }
    layers.landlock_.emplace(*std::move(landlock));
  } else if (layers.landlock_required_ || !absl::IsUnavailable(landlock.status())) {
    return absl::FailedPreconditionError(landlock.status().message());
  }
  return layers;
}

int Layers::PutOnLandlock(int threads, bool* in_force) const {
  *in_force = false;
  if (!landlock_.has_value()) return 0;
  if (threads != 1) return landlock_required_ ? EBUSY : 0;
  const int error = landlock_->Enforce();
  *in_force = error == 0;
  return error;
}

}  // namespace sockgate::launch
