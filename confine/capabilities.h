// KeepOnlyCapabilities: gives up every capability but the few that a process has a use for.
//
// Process: whoever confines itself: worker, broker, keeper, resolver. The calling thread only, and
// those that it starts afterwards: capabilities belong to threads.
// Threads: async-signal-safe, allocates nothing, so it may run between fork and exec.
// Hostile inputs: none.
// Failure: an errno; a part of it may be done, so the process should end.
//
// libcap-ng would do the same, but reads /proc through stdio on its way, which is not safe after
// the fork of a threaded program. The tests read the outcome with it.
//
// Manual pages: capabilities(7), capset(2), PR_CAPBSET_DROP(2const), PR_CAP_AMBIENT(2const).

#ifndef SOCKGATE_CONFINE_CAPABILITIES_H_
#define SOCKGATE_CONFINE_CAPABILITIES_H_

#include <cstdint>
#include <string>

namespace sockgate::confine {

// A set of capabilities: bit n is the one with number n.
using CapabilitySet = uint64_t;
constexpr CapabilitySet CapabilityBit(int capability) { return CapabilitySet{1} << capability; }

// Permitted and effective are `keep` afterwards; inheritable and ambient are empty; and so is the
// bounding set where CAP_SETPCAP is held, without which it cannot be changed and, with
// no_new_privs, gives nothing. EPERM: the thread does not hold one that it shall keep.
[[nodiscard]] int KeepOnlyCapabilities(CapabilitySet keep);

// What this thread is permitted, and what it can use right now; nothing where the kernel does not
// say.
CapabilitySet PermittedCapabilities();
CapabilitySet EffectiveCapabilities();

// Permitted is at most `most` afterwards, and nothing is effective: what is permitted still can be
// used for one step, and not by mistake.
[[nodiscard]] int LimitCapabilities(CapabilitySet most);

// Makes these effective, and no others. EPERM: one of them is not permitted.
[[nodiscard]] int UseCapabilities(CapabilitySet effective);

// "CAP_NET_ADMIN, CAP_NET_RAW", "none", or, of more than a few, "40 of them". Allocates.
std::string CapabilityNames(CapabilitySet set);

}  // namespace sockgate::confine

#endif  // SOCKGATE_CONFINE_CAPABILITIES_H_
