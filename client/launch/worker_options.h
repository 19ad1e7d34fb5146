// WorkerOptions: what a launcher decides about a worker before it exists.
//
// Process: the launcher. Plain values; nothing here is hostile, and what cannot be done is a Status
// of Worker::Start or Worker::Exec.

#ifndef SOCKGATE_CLIENT_LAUNCH_WORKER_OPTIONS_H_
#define SOCKGATE_CLIENT_LAUNCH_WORKER_OPTIONS_H_

#include <sys/resource.h>

#include <optional>
#include <string>
#include <vector>

#include "client/launch/sandbox_profile.h"
#include "proto/handover.h"  // IWYU pragma: export

namespace sockgate::launch {

// Unset: as the launcher's. A limit above the launcher's hard limit needs CAP_SYS_RESOURCE and
// fails without it. Core dumps are always off: a core holds whatever the worker had in memory.
struct ResourceLimits {
  std::optional<rlim_t> open_files;  // RLIMIT_NOFILE: also bounds what the broker can hand over
  std::optional<rlim_t> address_space_bytes;  // RLIMIT_AS
  std::optional<rlim_t> cpu_seconds;          // RLIMIT_CPU: SIGKILL
  std::optional<rlim_t> file_size_bytes;      // RLIMIT_FSIZE: SIGXFSZ
};

struct WorkerOptions {
  // Unset: FetcherProfile() for Start, ProgramProfile() for Exec.
  std::optional<Profile> profile;
  // Open in the child beside 0, 1, 2 and the channel, under the same numbers; everything else is
  // closed. They stay the launcher's. Each must be open; for Exec none may be kChannelDescriptor
  // unless it is the channel itself.
  std::vector<int> keep_descriptors;
  ResourceLimits limits;
  bool die_with_launcher = true;
  // Exec only: the whole environment ("NAME=value") but for the channel's variable, which is added.
  // Unset: the launcher's, with all the secrets it may hold.
  std::optional<std::vector<std::string>> environment;
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_WORKER_OPTIONS_H_
