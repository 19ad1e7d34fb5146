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

#include "client/launch/confinement.h"  // IWYU pragma: export
#include "confine/identity.h"
#include "proto/handover.h"  // IWYU pragma: export

namespace sockgate::launch {

using confine::Identity;

// Unset: as the launcher's. A limit above the launcher's hard limit needs CAP_SYS_RESOURCE and
// fails without it. Core dumps are always off: a core holds whatever the worker had in memory.
struct ResourceLimits {
  std::optional<rlim_t> open_files;  // RLIMIT_NOFILE: also bounds what the broker can hand over
  std::optional<rlim_t> address_space_bytes;  // RLIMIT_AS
  std::optional<rlim_t> cpu_seconds;          // RLIMIT_CPU: SIGKILL
  std::optional<rlim_t> file_size_bytes;      // RLIMIT_FSIZE: SIGXFSZ
};

// Each a namespace of the worker's own (namespaces(7)). A launcher without CAP_SYS_ADMIN makes them
// inside a user namespace, which some hosts do not let ordinary users have.
struct Namespaces {
  Need network = Need::kNo;  // there is no network but what the broker hands over
  // No file system can be written, but beneath the folders that Confinement::files lets the worker
  // write. Linux 5.12.
  Need mount = Need::kNo;
  // Other processes cannot be signalled or traced; /proc still shows them, to who may open it. The
  // worker is the namespace's first
  // process: signals that it has no handler for do not reach it, but SIGKILL. Worker::pid() is that
  // of another process, which waits outside and ends as the worker does.
  Need pid = Need::kNo;
  Need ipc = Need::kNo;  // System V IPC and POSIX message queues
};

enum class Stream { kKeep, kNull };

// What is not kept is /dev/null. A terminal that is kept as standard input is one to read from.
struct StandardStreams {
  Stream in = Stream::kNull;
  Stream out = Stream::kKeep;
  Stream err = Stream::kKeep;
};

struct WorkerOptions {
  Confinement confinement;
  Namespaces namespaces;
  // Unset: the launcher's user and groups. All capabilities are given up in any case.
  std::optional<Identity> identity;
  StandardStreams streams;
  // Open in the child beside 0, 1, 2 and the channel, under the same numbers; everything else is
  // closed. They stay the launcher's. Each must be open; for Exec none may be kChannelDescriptor
  // unless it is the channel itself.
  std::vector<int> keep_descriptors;
  // The worker's end of a ChannelSource (channel_source.h), or -1. It is kept like those above, and
  // for Exec its number is in the variable SOCKGATE_CHANNEL_SOURCE.
  int channel_source = -1;
  ResourceLimits limits;
  bool die_with_launcher = true;
  // Exec only: the whole environment ("NAME=value") but for the channel's variables, which are added.
  // Unset: the launcher's, with all the secrets it may hold.
  std::optional<std::vector<std::string>> environment;
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_WORKER_OPTIONS_H_
