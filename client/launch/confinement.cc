#include "client/launch/confinement.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sockgate::launch {

std::string InForce::ToString() const {
  if (profile.empty()) return "nothing yet: it ended before it was confined";
  std::string text = "no_new_privs, no capabilities";
  if (undumpable) absl::StrAppend(&text, ", not dumpable");
  if (landlock_abi > 0) absl::StrAppend(&text, ", Landlock (ABI ", landlock_abi, ")");
  absl::StrAppend(&text, ", seccomp (", profile, ")");
  std::vector<std::string> own;
  if (network) own.emplace_back("network");
  if (mount) own.emplace_back("mount");
  if (pid) own.emplace_back("pid");
  if (ipc) own.emplace_back("ipc");
  if (user) own.emplace_back("user");
  if (!own.empty()) absl::StrAppend(&text, ", namespaces: ", absl::StrJoin(own, " "));
  return text;
}

}  // namespace sockgate::launch
