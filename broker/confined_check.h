// ConfinedCheck: whether a worker's process shows that it is confined.
//
// A worker that comes by a path connects first and confines itself then, so it is asked when it
// asks for something, until it has shown a seccomp filter and no_new_privs in every thread. A
// thread cannot undo either, and hands both on to what it creates, so once is enough.
//
// What it is for: a worker that forgot to confine itself, or does so too late, is denied. It is no
// guard against a process that means to deceive: a filter may let everything through; another
// process may have been given the channel, or been forked before the filter; and the listing of
// /proc can miss a thread when others end meanwhile. Against such a one, have a trusted launcher.
//
// Process: broker, the loop's thread. Owns a pidfd until it has passed. Never blocks.
// A look reads at most kMaxThreads short files of /proc, some 12 microseconds each; a process with
// more threads does not pass. It ends at the first thread that shows no filter, and the main one
// comes first. After a look in vain the worker is not looked at for kPause, and is not confined
// meanwhile: an honest one that was denied, confines itself and asks again at once is denied once
// more, and has to ask a last time when kPause is over. All looks together have a budget
// (look_budget.h), or one process with many connections could keep the broker from the others.
// Hostile input: the process that is looked at. It cannot forge its status, but it can end, and
// leave its number to another: the pidfd tells.
// Fails closed: without /proc, with a hidepid= that hides the worker, with a /proc of another pid
// namespace (where other numbers are used, or the broker has none itself), and before Linux 5.3,
// nobody passes; nor before Linux 5.14 where the broker is an ordinary user's and in its cage,
// since there a process that is not dumpable may not look at its own descriptors. From Linux 6.5
// the pidfd is the peer's own (SO_PEERPIDFD); before, it is taken by number, and a process that
// ends between its connect(2) and the broker's accept(2) may be mistaken for the one that got its
// number in that moment.
//
// Sources: unix(7), seccomp(2), pidfd_open(2), proc_pid_status(5), proc_pid_fdinfo(5).

#ifndef SOCKGATE_BROKER_CONFINED_CHECK_H_
#define SOCKGATE_BROKER_CONFINED_CHECK_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <utility>

#include "broker/deadline_queue.h"
#include "broker/look_budget.h"
#include "proto/unique_fd.h"

namespace sockgate {

// kNotNow: there was no time to look; ask again.
enum class Confined : uint8_t { kYes, kNo, kNotNow };

class ConfinedCheck {
 public:
  static constexpr int kMaxThreads = 64;
  static constexpr std::chrono::milliseconds kPause{100};

  // Of a worker that a trusted launcher made: passes.
  ConfinedCheck() = default;

  // Of the process `pid` that connected this channel, just accepted.
  static ConfinedCheck OfPeer(int channel, pid_t pid);

  // Of a worker that came by a path when nobody was to be looked at: never passes, since who holds
  // its process's number by now cannot be known.
  static ConfinedCheck Never() { return ConfinedCheck(0, UniqueFd()); }

  // Looks, unless it has passed before or a pause is on.
  Confined Ask(TimePoint now, LookBudget* budget);

 private:
  ConfinedCheck(pid_t pid, UniqueFd pidfd) : passed_(false), pid_(pid), pidfd_(std::move(pidfd)) {}

  bool passed_ = true;
  pid_t pid_ = 0;
  UniqueFd pidfd_;
  TimePoint next_look_ = TimePoint::min();
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_CONFINED_CHECK_H_
