#include "confine/landlock_rules.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"

namespace sockgate::confine {
namespace {

// Newer than Debian 12's linux/landlock.h; the numbers are the kernel's.
constexpr uint64_t kFsTruncate = uint64_t{1} << 14;  // ABI 3
constexpr uint64_t kFsIoctlDev = uint64_t{1} << 15;  // ABI 5
constexpr uint64_t kNetBindTcp = uint64_t{1} << 0;   // ABI 4
constexpr uint64_t kNetConnectTcp = uint64_t{1} << 1;
constexpr uint64_t kScopeAbstractUnixSocket = uint64_t{1} << 0;  // ABI 6
constexpr uint64_t kScopeSignal = uint64_t{1} << 1;
constexpr auto kRuleNetPort = static_cast<landlock_rule_type>(2);

// Out of the way of numbers that a child gives a meaning to, such as a standard stream's that was
// closed.
constexpr int kFirstDescriptor = 16;

struct RulesetAttr {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
};
struct NetPortAttr {
  uint64_t allowed_access;
  uint64_t port;
};

constexpr uint64_t kReading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t kWriting = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                              LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                              LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER | kFsTruncate;
// What a rule on a single file may hold; the others are about folders.
constexpr uint64_t kOfFiles = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                              LANDLOCK_ACCESS_FS_READ_FILE | kFsTruncate | kFsIoctlDev;

// All accesses that this ABI can refuse.
uint64_t FileAccessesOf(int abi) {
  uint64_t all = (uint64_t{1} << 13) - 1;
  if (abi >= 2) all |= LANDLOCK_ACCESS_FS_REFER;
  if (abi >= 3) all |= kFsTruncate;
  if (abi >= 5) all |= kFsIoctlDev;
  return all;
}

RulesetAttr AttributesFor(const LandlockSpec& spec, int abi) {
  RulesetAttr attributes = {FileAccessesOf(abi), 0, 0};
  if (abi >= 4) {
    attributes.handled_access_net = kNetBindTcp | (spec.deny_tcp_connect ? kNetConnectTcp : 0);
  }
  if (abi >= 6) {
    attributes.scoped = (spec.scope_signals ? kScopeSignal : 0) |
                        (spec.scope_abstract_sockets ? kScopeAbstractUnixSocket : 0);
  }
  return attributes;
}

// The kernel takes a shorter struct from those who know less, and refuses a longer one.
size_t SizeFor(int abi) {
  if (abi >= 6) return sizeof(RulesetAttr);
  return abi >= 4 ? offsetof(RulesetAttr, scoped) : offsetof(RulesetAttr, handled_access_net);
}

absl::Status AddGrant(int ruleset, const FileGrant& grant, uint64_t handled) {
  const UniqueFd place(open(grant.path.c_str(), O_PATH | O_CLOEXEC));
  struct stat status;
  if (!place.valid() || fstat(place.get(), &status) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("Landlock: ", grant.path));
  }
  landlock_path_beneath_attr rule = {};
  rule.parent_fd = place.get();
  rule.allowed_access = grant.access & handled & (S_ISDIR(status.st_mode) ? ~0UL : kOfFiles);
  if (rule.allowed_access == 0) return absl::OkStatus();
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, absl::StrCat("Landlock: ", grant.path));
}

absl::Status AllowAnyPort(int ruleset) {
  const NetPortAttr rule = {kNetBindTcp, 0};
  if (syscall(SYS_landlock_add_rule, ruleset, kRuleNetPort, &rule, 0) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "Landlock: port 0");
}

}  // namespace

FileGrant Read(std::string path) { return {std::move(path), kReading}; }

FileGrant ReadWrite(std::string path) { return {std::move(path), kReading | kWriting}; }

FileGrant ReadExecute(std::string path) {
  return {std::move(path), kReading | LANDLOCK_ACCESS_FS_EXECUTE};
}

FileGrant BindSockets(std::string path) {
  return {std::move(path), LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE};
}

FileGrant MakeAndWriteFiles(std::string path) {
  return {std::move(path), LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG};
}

bool GrantsWriting(const FileGrant& grant) {
  return (grant.access & LANDLOCK_ACCESS_FS_WRITE_FILE) != 0;
}

int LandlockRules::KernelAbi() {
  const auto abi =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return abi > 0 ? static_cast<int>(abi) : 0;
}

absl::StatusOr<LandlockRules> LandlockRules::Build(const LandlockSpec& spec) {
  const int abi = std::min(KernelAbi(), kNewestAbi);
  if (abi == 0) return absl::UnavailableError("this kernel has no Landlock, or it is turned off");
  const RulesetAttr attributes = AttributesFor(spec, abi);
  const UniqueFd made(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, SizeFor(abi), 0)));
  UniqueFd ruleset(fcntl(made.get(), F_DUPFD_CLOEXEC, kFirstDescriptor));
  if (!ruleset.valid()) return absl::ErrnoToStatus(errno, "Landlock");
  for (const FileGrant& grant : spec.files) {
    absl::Status added = AddGrant(ruleset.get(), grant, attributes.handled_access_fs);
    if (!added.ok()) return added;
  }
  if (spec.allow_tcp_bind_any_port && abi >= 4) {
    if (absl::Status added = AllowAnyPort(ruleset.get()); !added.ok()) return added;
  }
  return LandlockRules(std::move(ruleset), abi);
}

int LandlockRules::Enforce() const {
  return syscall(SYS_landlock_restrict_self, ruleset_.get(), 0) == 0 ? 0 : errno;
}

}  // namespace sockgate::confine
