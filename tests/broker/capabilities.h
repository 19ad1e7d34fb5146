// DropAllCapabilities: makes the calling thread, and no other, one without privileges
// (capabilities(7)). Its user stays the same.

#ifndef SOCKGATE_TESTS_BROKER_CAPABILITIES_H_
#define SOCKGATE_TESTS_BROKER_CAPABILITIES_H_

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "proto/check.h"

namespace sockgate::testing {

inline void DropAllCapabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> none = {};
  SOCKGATE_CHECK(syscall(SYS_capset, &header, none.data()) == 0);
}

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_BROKER_CAPABILITIES_H_
