#include "tool/serve_identity.h"

#include <linux/capability.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "confine/capabilities.h"
#include "confine/identity.h"

namespace sockgate {
namespace {

using confine::CapabilityBit;
using confine::CapabilitySet;

// To give a path away, to set its mode then, and to find out whether anybody listens on one that
// was given away by a broker that was killed.
constexpr CapabilitySet kForPaths =
    CapabilityBit(CAP_CHOWN) | CapabilityBit(CAP_FOWNER) | CapabilityBit(CAP_DAC_OVERRIDE);
constexpr CapabilitySet kForSockets = CapabilityBit(CAP_NET_RAW) | CapabilityBit(CAP_NET_ADMIN);
// To empty the bounding set.
constexpr CapabilitySet kForTheCage = CapabilityBit(CAP_SETPCAP);

absl::Status Become(const std::string& name) {
  const auto identity = confine::Identity::Find(name);
  if (!identity.ok()) return identity.status();
  // Or the kernel would take all capabilities from whoever stops being root.
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
    return absl::ErrnoToStatus(errno, "cannot keep capabilities: prctl");
  const int error = identity->Become();
  if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0)
    return absl::ErrnoToStatus(errno, "cannot keep capabilities: prctl");
  if (error == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(
      error, absl::StrCat("cannot become user ", name, "; only root can be told to be another"));
}

absl::Status Outcome(int error) {
  return error == 0 ? absl::OkStatus()
                    : absl::ErrnoToStatus(error, "cannot limit this process's capabilities");
}

bool HasOwner(const ListenAt& at) { return at.owner.has_value() || at.group.has_value(); }

}  // namespace

absl::Status StepDown(const std::string& user) {
  if (!user.empty()) {
    if (absl::Status status = Become(user); !status.ok()) return status;
  }
  return Outcome(confine::LimitCapabilities(kForPaths | kForSockets | kForTheCage));
}

absl::Status AsOwnerOfPaths(const std::vector<ListenAt>& listen,
                            const std::function<absl::Status()>& bind) {
  if (std::none_of(listen.begin(), listen.end(), HasOwner)) return bind();
  const CapabilitySet permitted = confine::PermittedCapabilities();
  const CapabilitySet before = confine::EffectiveCapabilities();
  if (const int error = confine::UseCapabilities(before | (kForPaths & permitted))) {
    return Outcome(error);
  }
  absl::Status status = bind();
  return status.ok() ? Outcome(confine::UseCapabilities(before)) : status;
}

absl::Status KeepNetworkCapabilities() {
  const CapabilitySet keep = confine::PermittedCapabilities() & kForSockets;
  if (const int error = confine::LimitCapabilities(keep)) return Outcome(error);
  return Outcome(confine::UseCapabilities(keep));
}

}  // namespace sockgate
