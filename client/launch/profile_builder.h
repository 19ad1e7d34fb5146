// ProfileBuilder: the fetcher's profile with what a program of one's own needs beside libcurl.
//
//   auto profile = launch::ProfileBuilder("crawler")
//                      .Allow("epoll_create1")
//                      .Allow("epoll_ctl")
//                      .Allow("epoll_pwait")
//                      .Answer("getrusage", EPERM)
//                      .Build();
//
// Process: launcher, or a process that confines itself late; before confinement.
// Ownership: a value.
// Failure: Build() is InvalidArgument and names the first call that is unknown, or that is not known
// to be harmless and was not added by AllowWayOut().

#ifndef SOCKGATE_CLIENT_LAUNCH_PROFILE_BUILDER_H_
#define SOCKGATE_CLIENT_LAUNCH_PROFILE_BUILDER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/launch/sandbox_profile.h"

namespace sockgate::launch {

class ProfileBuilder {
 public:
  // Begins with all that FetcherProfile() has.
  explicit ProfileBuilder(std::string name = "embed");

  // The call, which is one of those that are known to be harmless (epoll_*, timerfd_*, getrusage,
  // ...; profile_builder.cc lists them), happens: always, or where all conditions hold. What the fetcher answers it with is
  // gone; what it allows under conditions stays, beside conditions and not beside none.
  ProfileBuilder& Allow(const std::string& syscall, std::vector<ArgCondition> when = {});

  // The call does not happen and fails with this errno, whatever its arguments.
  ProfileBuilder& Answer(const std::string& syscall, int error);

  // Opening, reading, writing, making, renaming and removing files. No filter can see which ones:
  // without Landlock (Confinement::files) that is every file of the user's.
  ProfileBuilder& AllowFiles();

  // Allow() for any other call. It may undo the confinement: make or aim sockets, open files that
  // no Landlock guards, reach other processes, run programs, ask one of the kernel's wide interfaces.
  ProfileBuilder& AllowWayOut(const std::string& syscall, std::vector<ArgCondition> when = {});

  // What becomes of calls that are not listed: kKillProcess, as the fetcher has it, or an Errno().
  ProfileBuilder& Otherwise(Action action);

  absl::StatusOr<Profile> Build() const;

 private:
  void Add(const std::string& syscall, Action action, std::vector<ArgCondition> when);

  Profile profile_;
  std::string refused_;  // the first call that Allow() may not add
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_PROFILE_BUILDER_H_
