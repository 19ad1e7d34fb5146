#include "client/launch/layers.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
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
    if (layers.landlock_required_ && landlock->abi() < wanted.least_landlock_abi) {
      return TooOld(landlock->abi(), wanted.least_landlock_abi);
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

int CountThreads() {
  static constexpr absl::string_view kName = "\nThreads:\t";
  const UniqueFd file(open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  char text[16 * 1024];  // a line of some two thousand groups comes first
  const ssize_t size = read(file.get(), text, sizeof(text));
  absl::string_view status(text, size > 0 ? static_cast<size_t>(size) : 0);
  const size_t at = status.find(kName);
  if (at == absl::string_view::npos) return 0;
  status.remove_prefix(at + kName.size());
  int count = 0;
  return absl::SimpleAtoi(status.substr(0, status.find('\n')), &count) ? count : 0;
}

}  // namespace sockgate::launch
