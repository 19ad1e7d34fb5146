// OrderedBy: who had the policy changed, or connections ended, for the audit log.
//
// Process: broker. A value.

#ifndef SOCKGATE_BROKER_ORDERED_BY_H_
#define SOCKGATE_BROKER_ORDERED_BY_H_

#include <sys/types.h>

#include <optional>

#include "absl/strings/string_view.h"

namespace sockgate {

struct OrderedBy {
  struct Process {
    pid_t pid = 0;
    uid_t uid = 0;
  };

  // "signal" or "control", in memory that lives for ever; empty: the program that the broker is a
  // part of, of its own accord.
  absl::string_view way = {};
  // Only if the kernel vouches for it.
  std::optional<Process> process = {};
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_ORDERED_BY_H_
