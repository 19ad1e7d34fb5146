// Confinement: what a worker is to lose, whoever takes it away: its launcher (worker.h) or the
// worker itself (confine.h).
//
// Process: launcher or worker, before confinement. Plain values.
// Threads: none of its business.
// Hostile inputs: none.

#ifndef SOCKGATE_CLIENT_LAUNCH_CONFINEMENT_H_
#define SOCKGATE_CLIENT_LAUNCH_CONFINEMENT_H_

#include <optional>
#include <string>
#include <vector>

#include "client/launch/sandbox_profile.h"
#include "confine/landlock_rules.h"

namespace sockgate::launch {

// Of a layer that not every host can give.
enum class Need {
  kNo,
  kIfPossible,  // the report says whether it is in force
  kRequired,    // without it there is no worker
};

// What a worker may do beneath a folder, or with one file. Nothing may be executed.
using confine::FileGrant;
using confine::Read;
using confine::ReadWrite;

struct Confinement {
  // Unset: FetcherProfile(), with the calls for files where `files` names any; for a program
  // started by exec ProgramProfile().
  std::optional<Profile> profile = std::nullopt;

  // The files that may be opened afterwards, by Landlock: beneath these folders and no others. Each
  // must be there. With any, Landlock is required, since a filter cannot see names.
  std::vector<FileGrant> files = {};

  // Landlock also takes TCP ports, signals and abstract sockets away (landlock_rules.h).
  Need landlock = Need::kIfPossible;
  // Where Landlock is required: the oldest ABI that will do. 3 covers truncation, and is the oldest
  // where `files` has any that are only to be read; 4 covers TCP, 6 signals.
  int least_landlock_abi = 1;
};

// The layers that are in force. Those without a field are always: no_new_privs, and no
// capabilities.
struct InForce {
  std::string profile;      // of the seccomp filter; empty: it ended before it had one
  int landlock_abi = 0;     // 0: no Landlock
  bool undumpable = false;  // nobody of the same user may look into its memory
  // Each in a namespace of its own.
  bool network = false;
  bool mount = false;
  bool pid = false;
  bool ipc = false;
  bool user = false;

  // "no_new_privs, no capabilities, not dumpable, Landlock (ABI 7), seccomp (fetcher), namespaces:
  // network"
  std::string ToString() const;
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_CONFINEMENT_H_
