// ChildPlan: all that a new child will do to itself, decided before fork so that nothing is left to
// allocate afterwards.
//
// Process: made in the launcher, carried out by SetUpChild and LockChild in the child.
// Ownership: points to the layers, the streams' stand-in and the options, which must outlive it;
// descriptors are plain numbers.
// Threads: any, does not block.
// Hostile inputs: none.
// Failure: CheckDescriptors says which descriptor.

#ifndef SOCKGATE_CLIENT_LAUNCH_CHILD_PLAN_H_
#define SOCKGATE_CLIENT_LAUNCH_CHILD_PLAN_H_

#include <sys/resource.h>
#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/launch/layers.h"
#include "client/launch/worker_options.h"

namespace sockgate::launch {

// Where the child finds its channel: under the launcher's number, or, open over exec, at
// kChannelDescriptor.
enum class ChannelPlace { kAsIs, kFixed };

// The text that the kernel wants in /proc/self/uid_map or gid_map: one id, which stays what it is.
struct IdMap {
  char text[48] = {};
  size_t size = 0;
};

struct ChildPlan {
  const Layers* layers = nullptr;
  const confine::Identity* identity = nullptr;  // null: stays who it is
  StandardStreams streams;
  // CLONE_NEW*: those that there must be, and those that there should be beside them.
  int required_namespaces = 0;
  int wanted_namespaces = 0;
  IdMap user_map;
  IdMap group_map;
  std::vector<std::string> writable;  // folders that stay so in a mount namespace, without links
  std::string working_folder;         // the launcher's, without links
  int report_fd = -1;                 // write end, CLOEXEC
  int channel_fd = -1;                // where the channel is
  int channel_target = -1;            // where it shall be, kept over exec; -1: stays where it is
  std::vector<int> keep;              // sorted; the channel's final place and report_fd included
  std::vector<int> survive;           // those of `keep` that must stay open over exec
  struct Limit {
    __rlimit_resource resource;
    rlim_t value;
  };
  std::vector<Limit> limits;
  bool die_with_launcher = true;
  pid_t launcher = -1;
};

// An error that names the descriptor: for a channel or a descriptor to keep (the channel's source is
// one) that is not open, for a channel among the standard streams, and for a descriptor to keep in
// the fixed channel's place.
absl::Status CheckDescriptors(int channel, const WorkerOptions& options, ChannelPlace place);

// `report` is the write end of the pipe for what becomes of it. CheckDescriptors has been OK.
ChildPlan MakePlan(int channel, int report, const Layers& layers, const WorkerOptions& options,
                   ChannelPlace place);

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_CHILD_PLAN_H_
