#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "tests/escape/acts.h"
#include "tests/escape/victim.h"

namespace sockgate::escape {
namespace {

using launch::ErrnoOf;
using launch::Exited;

// A folder of this process's own, with a file `old` in it. What the act leaves there goes with the
// test's own temporary folder.
std::string MakeFolder() {
  const char* base = getenv("TEST_TMPDIR");
  std::string folder = std::string(base != nullptr ? base : "/tmp") + "/act-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) Must(-1);
  close(Must(open((folder + "/old").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
  return folder;
}

// A call about `old`, and about `new` beside it.
template <typename Function>
Act FileAct(const char* name, Function call) {
  return {name, Killed(), [call]() -> Attempt {
            const std::string folder = MakeFolder();
            return [call, from = folder + "/old", to = folder + "/new"] {
              return ErrnoOf(call(from.c_str(), to.c_str()));
            };
          }};
}

Attempt OpenMemory(pid_t pid) {
  return [path = "/proc/" + std::to_string(pid) + "/mem"] {
    return ErrnoOf(open(path.c_str(), O_RDWR | O_CLOEXEC));
  };
}

// The program that a memory file holds needs no path.
Attempt ExecuteMemoryFile() {
  const int file = Must(memfd_create("program", 0));
  const int program = Must(open("/bin/true", O_RDONLY | O_CLOEXEC));
  char block[4096];
  for (ssize_t size = read(program, block, sizeof(block)); size > 0;
       size = read(program, block, sizeof(block))) {
    Must(write(file, block, static_cast<size_t>(size)));
  }
  return [file] {
    char name[] = "true";
    char* const argv[] = {name, nullptr};
    char* const environment[] = {nullptr};
    return ErrnoOf(syscall(SYS_execveat, file, "", argv, environment, AT_EMPTY_PATH));
  };
}

// Opens what the walk of a path would not reach.
Attempt OpenByHandle() {
  const std::string file = MakeFolder() + "/old";
  alignas(file_handle) static char room[sizeof(file_handle) + MAX_HANDLE_SZ];
  auto* handle = reinterpret_cast<file_handle*>(room);
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  Must(name_to_handle_at(AT_FDCWD, file.c_str(), handle, &mount, 0));
  const int folder = Must(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return [=] { return ErrnoOf(open_by_handle_at(folder, handle, O_RDONLY)); };
}

}  // namespace

std::vector<Act> FileActs() {
  using Path = const char*;
  return {
      {"OpenMemoryOfAnother", Exited(EACCES), [] { return OpenMemory(Victim()); }, true},
      {"OpenOwnMemory", Exited(EACCES), [] { return OpenMemory(getpid()); }},
      {"ExecuteMemoryFile", Killed(), ExecuteMemoryFile},
      Privileged({"OpenByHandle", Killed(), OpenByHandle}),
      FileAct("Create", [](Path, Path to) { return creat(to, 0600); }),
      FileAct("MakeFolder", [](Path, Path to) { return mkdir(to, 0700); }),
      FileAct("MakeFifo", [](Path, Path to) { return mkfifo(to, 0600); }),
      FileAct("MakeSocketFile", [](Path, Path to) { return mknod(to, S_IFSOCK | 0600, 0); }),
      FileAct("MakeLink", [](Path from, Path to) { return link(from, to); }),
      FileAct("MakeSymbolicLink", [](Path from, Path to) { return symlink(from, to); }),
      FileAct("Rename", [](Path from, Path to) { return std::rename(from, to); }),
      FileAct("Remove", [](Path from, Path) { return unlink(from); }),
      FileAct("Truncate", [](Path from, Path) { return truncate(from, 0); }),
      FileAct("ChangeMode", [](Path from, Path) { return chmod(from, 0700); }),
      FileAct("ChangeOwner", [](Path from, Path) { return chown(from, getuid(), getgid()); }),
      FileAct("ListFolder",
              [](Path, Path) {
                char room[512];
                return syscall(SYS_getdents64, STDIN_FILENO, room, sizeof(room)) == 0 ||
                               errno == ENOTDIR
                           ? 0
                           : -1;
              }),
      Privileged(FileAct("ChangeRoot", [](Path, Path) { return chroot("/"); })),
  };
}

}  // namespace sockgate::escape
