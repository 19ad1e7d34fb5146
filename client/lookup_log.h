// The last lookups that failed, and why: getaddrinfo(3) can only return a code, and libcurl calls
// it in a thread of its own, so the adapter reads here which rule refused a name.
//
// Process: worker; one for the process. Threads: any, under one lock, taken for failures only.
// Memory: the last 1024 failures.

#ifndef SOCKGATE_CLIENT_LOOKUP_LOG_H_
#define SOCKGATE_CLIENT_LOOKUP_LOG_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "client/connect_error.h"

namespace sockgate {

struct FailedLookup {
  uint64_t number = 0;  // counts from 1
  std::string name;     // as it was asked for
  ConnectError error;
};

void RecordFailedLookup(absl::string_view name, const ConnectError& error);

// The number of the newest; 0: none yet.
uint64_t LastFailedLookup();

// The newest of `name` whose number is above `after`, or of any name where `name` is empty. Names
// are compared as the DNS does: without case and without a dot at the end.
std::optional<FailedLookup> FindFailedLookup(absl::string_view name, uint64_t after);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_LOOKUP_LOG_H_
