// The bounds of the control socket. CONTROL.md says what is spoken there.

#ifndef SOCKGATE_BROKER_CONTROL_CONTROL_LIMITS_H_
#define SOCKGATE_BROKER_CONTROL_CONTROL_LIMITS_H_

#include <cstddef>

namespace sockgate {

// One packet of at most this many bytes each way.
inline constexpr size_t kMaxControlRequestBytes = 512;
inline constexpr size_t kMaxControlReplyBytes = size_t{64} * 1024;

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONTROL_CONTROL_LIMITS_H_
