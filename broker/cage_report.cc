#include "broker/cage_report.h"

#include "absl/strings/str_cat.h"

namespace sockgate {

std::string CageReport::ToString() const {
  std::string text =
      absl::StrCat("user ", user, ", capabilities: ", confine::CapabilityNames(capabilities));
  if (no_new_privileges) absl::StrAppend(&text, ", no_new_privs");
  if (undumpable) absl::StrAppend(&text, ", not dumpable");
  if (landlock_abi > 0) absl::StrAppend(&text, ", Landlock (ABI ", landlock_abi, ")");
  if (filtered) absl::StrAppend(&text, ", seccomp");
  return text;
}

}  // namespace sockgate
