#include "client/launch/child_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "confine/folders.h"

namespace sockgate::launch {
namespace {

std::vector<ChildPlan::Limit> PlanLimits(const ResourceLimits& limits) {
  std::vector<ChildPlan::Limit> plan = {{RLIMIT_CORE, 0}};
  if (limits.open_files) plan.push_back({RLIMIT_NOFILE, *limits.open_files});
  if (limits.address_space_bytes) plan.push_back({RLIMIT_AS, *limits.address_space_bytes});
  if (limits.cpu_seconds) plan.push_back({RLIMIT_CPU, *limits.cpu_seconds});
  if (limits.file_size_bytes) plan.push_back({RLIMIT_FSIZE, *limits.file_size_bytes});
  return plan;
}

IdMap MapOf(unsigned id) {
  IdMap map;
  map.size = static_cast<size_t>(std::snprintf(map.text, sizeof(map.text), "%u %u 1\n", id, id));
  return map;
}

int NamespacesOf(const Namespaces& namespaces, Need need) {
  return (namespaces.network == need ? CLONE_NEWNET : 0) |
         (namespaces.mount == need ? CLONE_NEWNS : 0) |
         (namespaces.pid == need ? CLONE_NEWPID : 0) | (namespaces.ipc == need ? CLONE_NEWIPC : 0);
}

void PlanNamespaces(const WorkerOptions& options, ChildPlan* plan) {
  plan->required_namespaces = NamespacesOf(options.namespaces, Need::kRequired);
  plan->wanted_namespaces = NamespacesOf(options.namespaces, Need::kIfPossible);
  plan->user_map = MapOf(geteuid());
  plan->group_map = MapOf(getegid());
  plan->working_folder = confine::WithoutLinks(".").value_or("");
  for (const FileGrant& grant : options.confinement.files) {
    if (confine::GrantsWriting(grant))
      plan->writable.push_back(confine::WithoutLinks(grant.path).value_or(grant.path));
  }
}

std::vector<int> ToKeep(const WorkerOptions& options) {
  std::vector<int> keep = options.keep_descriptors;
  if (options.channel_source >= 0) keep.push_back(options.channel_source);
  return keep;
}

}  // namespace

absl::Status CheckDescriptors(int channel, const WorkerOptions& options, ChannelPlace place) {
  if (channel <= STDERR_FILENO) {
    return absl::InvalidArgumentError(absl::StrCat("descriptor ", channel, " as a channel"));
  }
  if (fcntl(channel, F_GETFD) < 0) return absl::ErrnoToStatus(errno, "channel");
  for (const int fd : ToKeep(options)) {
    if (fcntl(fd, F_GETFD) < 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("descriptor to keep: ", fd));
    }
    if (place == ChannelPlace::kFixed && fd == kChannelDescriptor && fd != channel) {
      return absl::InvalidArgumentError("a descriptor to keep stands in the channel's place");
    }
  }
  return absl::OkStatus();
}

ChildPlan MakePlan(int channel, int report, const Layers& layers, const WorkerOptions& options,
                   ChannelPlace place) {
  ChildPlan plan;
  plan.layers = &layers;
  plan.identity = options.identity.has_value() ? &*options.identity : nullptr;
  plan.streams = options.streams;
  PlanNamespaces(options, &plan);
  plan.report_fd = report;
  plan.channel_fd = channel;
  plan.limits = PlanLimits(options.limits);
  plan.die_with_launcher = options.die_with_launcher;
  plan.launcher = getpid();
  plan.keep = ToKeep(options);
  if (place == ChannelPlace::kFixed) {
    plan.channel_target = kChannelDescriptor;
    plan.keep.push_back(kChannelDescriptor);
    plan.survive = plan.keep;
  } else {
    plan.keep.push_back(channel);
  }
  plan.keep.insert(plan.keep.end(), {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, report});
  if (layers.landlock_descriptor() >= 0) plan.keep.push_back(layers.landlock_descriptor());
  std::sort(plan.keep.begin(), plan.keep.end());
  plan.keep.erase(std::unique(plan.keep.begin(), plan.keep.end()), plan.keep.end());
  return plan;
}

}  // namespace sockgate::launch
