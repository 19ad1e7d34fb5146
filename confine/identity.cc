#include "confine/identity.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "confine/capabilities.h"

namespace sockgate::confine {
namespace {

constexpr size_t kMostBytes = size_t{1} << 20;
constexpr int kMostGroups = 65536;  // NGROUPS_MAX
constexpr int kMostCompared = 1024;

absl::StatusOr<passwd> FindUser(const std::string& name, std::vector<char>* buffer) {
  passwd entry = {};
  passwd* found = nullptr;
  int error = ERANGE;
  for (size_t bytes = 4096; error == ERANGE && bytes <= kMostBytes; bytes *= 4) {
    buffer->resize(bytes);
    error = getpwnam_r(name.c_str(), &entry, buffer->data(), buffer->size(), &found);
  }
  if (found != nullptr) return entry;
  if (error != 0) return absl::ErrnoToStatus(error, absl::StrCat("cannot look up user ", name));
  return absl::NotFoundError(absl::StrCat("this machine knows no user ", name));
}

// user_namespaces(7): lines of the first id inside, the first one outside, and how many.
bool IsMapped(const char* path, uint64_t id) {
  std::ifstream map(path);
  uint64_t inside = 0;
  uint64_t outside = 0;
  uint64_t count = 0;
  while (map >> inside >> outside >> count) {
    if (inside <= id && id - inside < count) return true;
  }
  return false;
}

}  // namespace

bool Identity::CanBecome() const {
  constexpr CapabilitySet kNeeded = CapabilityBit(CAP_SETUID) | CapabilityBit(CAP_SETGID);
  if ((PermittedCapabilities() & kNeeded) != kNeeded) return false;
  return IsMapped("/proc/self/uid_map", user) && IsMapped("/proc/self/gid_map", group);
}

absl::StatusOr<Identity> Identity::Find(const std::string& name) {
  std::vector<char> buffer;
  const auto entry = FindUser(name, &buffer);
  if (!entry.ok()) return entry.status();
  if (entry->pw_uid == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("user ", name, " is root: name an ordinary user"));
  }
  Identity identity = {entry->pw_uid, entry->pw_gid};
  int count = 16;
  while (count <= kMostGroups) {
    identity.more_groups.resize(static_cast<size_t>(count));
    if (getgrouplist(name.c_str(), identity.group, identity.more_groups.data(), &count) >= 0) break;
  }
  identity.more_groups.resize(static_cast<size_t>(count));
  return identity;
}

bool Identity::IsHeld() const {
  uid_t users[3];
  gid_t groups[3];
  if (getresuid(&users[0], &users[1], &users[2]) != 0) return false;
  if (getresgid(&groups[0], &groups[1], &groups[2]) != 0) return false;
  for (int i = 0; i < 3; ++i) {
    if (users[i] != user || groups[i] != group) return false;
  }
  gid_t more[kMostCompared];
  const int count = getgroups(kMostCompared, more);
  return count >= 0 && std::all_of(more, more + count, [&](gid_t one) {
           return one == group ||
                  std::find(more_groups.begin(), more_groups.end(), one) != more_groups.end();
         });
}

// By system calls of its own: those of libc would reach for the threads of the process that this
// one was forked from.
int Identity::Become() const {
  if (IsHeld()) return 0;
  if (syscall(SYS_setgroups, more_groups.size(), more_groups.data()) != 0) return errno;
  if (syscall(SYS_setresgid, group, group, group) != 0) return errno;
  return syscall(SYS_setresuid, user, user, user) == 0 ? 0 : errno;
}

}  // namespace sockgate::confine
