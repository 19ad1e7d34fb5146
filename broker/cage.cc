#include "broker/cage.h"

#include <grp.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "broker/broker_profile.h"
#include "broker/resolver/keeper_confine.h"
#include "confine/folders.h"
#include "confine/landlock_rules.h"
#include "confine/process_cage.h"

namespace sockgate {
namespace {

using confine::CapabilityNames;
using confine::CapabilitySet;
using confine::LandlockSpec;

void Append(std::vector<std::string> more, std::vector<std::string>* all) {
  for (std::string& one : more) {
    if (std::find(all->begin(), all->end(), one) == all->end()) all->push_back(std::move(one));
  }
}

// Modules of nsswitch.conf are loaded at the first look-up that comes to them, which one in vain
// does to all; a confined process can load none.
void LoadAccountModules() {
  constexpr char kNobody[] = "sockgate-knows-no-such-name";
  std::array<char, 4096> buffer;
  passwd user;
  passwd* found_user = nullptr;
  getpwnam_r(kNobody, &user, buffer.data(), buffer.size(), &found_user);
  group group;
  struct group* found_group = nullptr;
  getgrnam_r(kNobody, &group, buffer.data(), buffer.size(), &found_group);
}

// Adding a user replaces /etc/passwd, so its folder has to be open for reloads to find it. But root
// without any capability still owns /etc/shadow and the host's keys, so root gets the files as they
// are, and finds no user that is added later.
std::vector<std::string> AccountPlaces() {
  if (geteuid() != 0) return {"/etc"};
  std::vector<std::string> places;
  for (const char* file : {"/etc/passwd", "/etc/group", "/etc/nsswitch.conf"}) {
    if (access(file, F_OK) == 0) places.emplace_back(file);
  }
  return places;
}

LandlockSpec SpecFor(const CagePlaces& places, const CageBounds& bounds) {
  LandlockSpec spec;
  spec.deny_tcp_connect = false;
  spec.allow_tcp_bind_any_port = bounds.binds_sources;
  std::vector<std::string> readable;
  if (!places.policy_file.empty()) {
    readable = confine::FoldersAround(places.policy_file);
    Append(AccountPlaces(), &readable);
  }
  // For require_confined, of workers that come by a path, and for reloads.
  if (!bounds.listen_folders.empty()) readable.emplace_back("/proc");
  for (const std::string& place : readable) spec.files.push_back(confine::Read(place));
  for (const std::string& folder : bounds.listen_folders) {
    spec.files.push_back(confine::BindSockets(folder));
  }
  if (!places.audit_folder.empty()) {
    spec.files.push_back(confine::MakeAndWriteFiles(places.audit_folder));
  }
  return spec;
}

CageBounds BoundsFor(const CagePlaces& places, const CageContents& contents) {
  CageBounds bounds;
  bounds.kernel = AskKernel();
  for (const auto& [name, role] : contents.roles.roles()) {
    const SocketOptions& options = role->socket_options;
    bounds.capabilities |= CapabilitiesFor(options, bounds.kernel);
    bounds.binds_sources |= options.source_v4.has_value() || options.source_v6.has_value();
  }
  bounds.capabilities = WorthHolding(bounds.capabilities, confine::PermittedCapabilities());
  for (const ListenAt& at : contents.listen) {
    Append(confine::FoldersAround(at.path), &bounds.listen_folders);
  }
  if (!places.control.empty()) {
    Append(confine::FoldersAround(places.control), &bounds.listen_folders);
  }
  if (contents.resolver.has_value()) bounds.resolver_folders = ResolverFolders(*contents.resolver);
  return bounds;
}

absl::Status CheckPermitted(const CageContents& contents, const CageBounds& bounds) {
  const CapabilitySet permitted = confine::PermittedCapabilities();
  for (const auto& [name, role] : contents.roles.roles()) {
    const CapabilitySet missing =
        Missing(CapabilitiesFor(role->socket_options, bounds.kernel), permitted);
    if (missing == 0) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("the sockets of role ", name, " need ", CapabilityNames(missing),
                     ", which the broker is not given: start it as root, or "
                     "with AmbientCapabilities= in its unit"));
  }
  return absl::OkStatus();
}

}  // namespace

CageReport LookAtCage(confine::CageLevel level, int landlock_abi) {
  CageReport report;
  report.level = level;
  report.user = geteuid();
  report.group = getegid();
  report.capabilities = confine::PermittedCapabilities();
  report.no_new_privileges = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
  report.undumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
  report.landlock_abi = landlock_abi;
  report.filtered = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER;
  return report;
}

absl::StatusOr<Caged> EnterCage(confine::CageLevel level, const CagePlaces& places,
                                const CageContents& contents) {
  CageBounds bounds = BoundsFor(places, contents);
  if (absl::Status status = CheckPermitted(contents, bounds); !status.ok()) return status;
  const LandlockSpec spec = SpecFor(places, bounds);
  const auto rotation = places.audit_folder.empty() ? AuditRotation::kNone : AuditRotation::kFile;
  const auto cage =
      confine::ProcessCage::Build(level, BrokerProfile(getpid(), geteuid(), rotation), spec);
  if (!cage.ok()) return cage.status();
  if (!places.policy_file.empty()) LoadAccountModules();
  // An audit log has times, and libc looks for the time zone's file before the first.
  tzset();
  if (absl::Status status = cage->PutOn(bounds.capabilities); !status.ok()) return status;
  bounds.has_landlock = cage->landlock_abi() > 0;
  return Caged{LookAtCage(level, cage->landlock_abi()), std::move(bounds)};
}

}  // namespace sockgate
