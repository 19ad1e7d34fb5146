// LandlockRules: what a process may still do with files, TCP ports and other processes, enforced by
// the kernel beside its seccomp filter: a filter sees the number of a call, Landlock what it is
// about.
//
// Process: Build runs before confinement, in the process itself or in its launcher; Enforce in the
// process to be confined.
// Ownership: a value that owns the ruleset's descriptor, CLOEXEC.
// Threads: Build allocates and opens the folders. Enforce is async-signal-safe and binds the
// calling thread and what it starts afterwards, no thread that runs already.
// Hostile inputs: none.
// Failure: Build is Unavailable where the kernel has no Landlock, or has it turned off; an error
// that names the path for one that cannot be opened. Enforce returns an errno.
//
// Rules add up only by being stricter: a process may be given several, and one that is given any
// can take none away. What was opened before stays open.
//
// Sources: landlock(7), https://docs.kernel.org/userspace-api/landlock.html.

#ifndef SOCKGATE_CONFINE_LANDLOCK_RULES_H_
#define SOCKGATE_CONFINE_LANDLOCK_RULES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/unique_fd.h"

namespace sockgate::confine {

// What may be done beneath a folder, or with a single file. The factories are all there is.
struct FileGrant {
  std::string path;
  uint64_t access = 0;  // LANDLOCK_ACCESS_FS_*
};
FileGrant Read(std::string path);         // files and lists of files
FileGrant ReadWrite(std::string path);    // and make, change, rename and remove files and folders
FileGrant ReadExecute(std::string path);  // and execute them
FileGrant BindSockets(std::string path);  // bind(2) UNIX sockets there, and unlink(2)
// Write files, wherever in them, and make regular ones; neither cut nor remove nor rename any.
FileGrant MakeAndWriteFiles(std::string path);
bool GrantsWriting(const FileGrant& grant);

// Everything that no grant names is refused.
struct LandlockSpec {
  std::vector<FileGrant> files;
  // From ABI 4 (Linux 6.7): bind(2) and connect(2) of TCP sockets to a port; to none at all, or
  // bind(2) to port 0, which is any free one.
  bool deny_tcp_connect = true;
  bool allow_tcp_bind_any_port = false;
  // From ABI 6 (Linux 6.12): signals, and connections to abstract UNIX sockets, go to processes
  // under these rules only.
  bool scope_signals = true;
  bool scope_abstract_sockets = true;
};

class LandlockRules {
 public:
  // The newest ABI that this code knows; on an older kernel what it lacks is left out.
  static constexpr int kNewestAbi = 7;

  // 0: the kernel has none.
  static int KernelAbi();

  static absl::StatusOr<LandlockRules> Build(const LandlockSpec& spec);

  // no_new_privs must be set, or the thread hold CAP_SYS_ADMIN: EPERM. E2BIG: 16 are in force.
  [[nodiscard]] int Enforce() const;

  // That the rules were made for.
  int abi() const { return abi_; }
  int descriptor() const { return ruleset_.get(); }

 private:
  LandlockRules(UniqueFd ruleset, int abi) : ruleset_(std::move(ruleset)), abi_(abi) {}

  UniqueFd ruleset_;
  int abi_;
};

}  // namespace sockgate::confine

#endif  // SOCKGATE_CONFINE_LANDLOCK_RULES_H_
