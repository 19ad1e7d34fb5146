#include "confine/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bitset>

namespace sockgate::confine {
namespace {

using Halves = __user_cap_data_struct[_LINUX_CAPABILITY_U32S_3];

int Get(Halves& halves) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  return syscall(SYS_capget, &header, halves) == 0 ? 0 : errno;
}

int Set(const Halves& halves) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  return syscall(SYS_capset, &header, halves) == 0 ? 0 : errno;
}

CapabilitySet Join(uint32_t low, uint32_t high) { return CapabilitySet{high} << 32 | low; }

// The kernel knows fewer than 64, and refuses the first number that it does not know.
int ClearBoundingSet() {
  for (int capability = 0; capability < 64; ++capability) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    return errno == EINVAL && capability > 0 ? 0 : errno;
  }
  return 0;
}

// More are no list that anybody reads.
constexpr size_t kMostNames = 8;

// Those that sockgate has a use for.
std::string NameOf(int capability) {
  switch (capability) {
    case CAP_CHOWN:
      return "CAP_CHOWN";
    case CAP_DAC_OVERRIDE:
      return "CAP_DAC_OVERRIDE";
    case CAP_FOWNER:
      return "CAP_FOWNER";
    case CAP_NET_ADMIN:
      return "CAP_NET_ADMIN";
    case CAP_NET_RAW:
      return "CAP_NET_RAW";
    default:
      return "capability " + std::to_string(capability);
  }
}

int RaiseSetpcap(Halves& halves) {
  halves[CAP_TO_INDEX(CAP_SETPCAP)].effective |= CAP_TO_MASK(CAP_SETPCAP);
  return Set(halves);
}

}  // namespace

CapabilitySet PermittedCapabilities() {
  Halves halves = {};
  return Get(halves) == 0 ? Join(halves[0].permitted, halves[1].permitted) : 0;
}

CapabilitySet EffectiveCapabilities() {
  Halves halves = {};
  return Get(halves) == 0 ? Join(halves[0].effective, halves[1].effective) : 0;
}

int LimitCapabilities(CapabilitySet most) {
  Halves halves = {};
  if (const int error = Get(halves)) return error;
  for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i) {
    halves[i] = {0, halves[i].permitted & static_cast<uint32_t>(most >> (32 * i)), 0};
  }
  return Set(halves);
}

int UseCapabilities(CapabilitySet effective) {
  Halves halves = {};
  if (const int error = Get(halves)) return error;
  for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i) {
    halves[i].effective = static_cast<uint32_t>(effective >> (32 * i));
  }
  return Set(halves);
}

std::string CapabilityNames(CapabilitySet set) {
  const size_t count = std::bitset<64>(set).count();
  if (count > kMostNames) return std::to_string(count) + " of them";
  std::string names;
  for (int capability = 0; capability < 64; ++capability) {
    if ((set & CapabilityBit(capability)) == 0) continue;
    if (!names.empty()) names += ", ";
    names += NameOf(capability);
  }
  return names.empty() ? "none" : names;
}

int KeepOnlyCapabilities(CapabilitySet keep) {
  Halves halves = {};
  if (const int error = Get(halves)) return error;
  const CapabilitySet permitted = Join(halves[0].permitted, halves[1].permitted);
  if ((keep & ~permitted) != 0) return EPERM;
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return errno;
  if ((permitted & CapabilityBit(CAP_SETPCAP)) != 0) {
    if (const int error = RaiseSetpcap(halves)) return error;
    if (const int error = ClearBoundingSet()) return error;
  }
  for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i) {
    const auto half = static_cast<uint32_t>(keep >> (32 * i));
    halves[i] = {half, half, 0};
  }
  return Set(halves);
}

}  // namespace sockgate::confine
