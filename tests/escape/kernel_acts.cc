#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <linux/userfaultfd.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cstdint>
#include <cstring>

#include "tests/escape/acts.h"
#include "tests/escape/loopback.h"

namespace sockgate::escape {
namespace {

using launch::ErrnoOf;
using launch::Exited;

constexpr char kAnyFile[] = "/dev/null";

// A ring's submissions do not pass the filter, so none may be made, nor one used that is
// already there.
Attempt SetUpRing() {
  return [] {
    io_uring_params parameters{};
    return ErrnoOf(syscall(SYS_io_uring_setup, 1, &parameters));
  };
}

Attempt UseRing(int64_t number) {
  io_uring_params parameters{};
  const int64_t ring = syscall(SYS_io_uring_setup, 1, &parameters);
  return [=] {
    if (number == SYS_io_uring_enter) return ErrnoOf(syscall(number, ring, 0, 0, 0, nullptr, 0));
    return ErrnoOf(syscall(number, ring, IORING_UNREGISTER_FILES, nullptr, 0));
  };
}

Attempt MakeBpfMap() {
  return [] {
    bpf_attr attributes{};
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = 4;
    attributes.value_size = 4;
    attributes.max_entries = 1;
    return ErrnoOf(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)));
  };
}

Attempt CountEvents() {
  return [] {
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.size = sizeof(attributes);
    attributes.config = PERF_COUNT_SW_CPU_CLOCK;
    attributes.exclude_kernel = 1;
    return ErrnoOf(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
  };
}

// Stands for the whole call: installing a filter would end the attempt's own reporting.
Attempt ChangeFilter() {
  return [] {
    const uint32_t action = SECCOMP_RET_ALLOW;
    return ErrnoOf(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
  };
}

Attempt OpenBy(int64_t number) {
  return [number] {
    if (number == SYS_open) return ErrnoOf(syscall(number, kAnyFile, O_RDONLY));
    if (number == SYS_openat) return ErrnoOf(syscall(number, AT_FDCWD, kAnyFile, O_RDONLY));
    const open_how how{};
    return ErrnoOf(syscall(number, AT_FDCWD, kAnyFile, &how, sizeof(how)));
  };
}

Attempt LookAtFile() {
  return [] {
    struct stat found {};
    return ErrnoOf(syscall(SYS_newfstatat, AT_FDCWD, kAnyFile, &found, 0));
  };
}

// Types a character into a terminal, for the shell behind it to read.
Attempt TypeIntoTerminal() {
  const int master = Must(posix_openpt(O_RDWR | O_NOCTTY));
  Must(grantpt(master));
  Must(unlockpt(master));
  const int terminal = Must(open(ptsname(master), O_RDWR | O_NOCTTY));
  return [=] { return ErrnoOf(ioctl(terminal, TIOCSTI, "x")); };
}

Attempt ListInterfaces() {
  const int fd = NewSocket(SOCK_STREAM);
  return [=] {
    ifreq room[8];
    ifconf request{};
    request.ifc_len = sizeof(room);
    request.ifc_req = room;
    return ErrnoOf(ioctl(fd, SIOCGIFCONF, &request));
  };
}

// For any descriptor that answers: the number is what is refused.
Attempt ControlSocket(unsigned long request) {
  const int fd = ConnectedTo(MakePlace(SOCK_STREAM), SOCK_STREAM);
  return [=] {
    char room[64] = {};
    std::memcpy(room, "lo", 3);  // for those that take the name of an interface
    return ErrnoOf(ioctl(fd, request, room));
  };
}

Attempt ControlDescriptor(int command, int64_t argument) {
  const int fd = NewSocket(SOCK_STREAM);
  return [=] { return ErrnoOf(syscall(SYS_fcntl, fd, command, argument)); };
}

}  // namespace

std::vector<Act> KernelActs() {
  return {
    Privileged({"SetUpRing", Killed(), SetUpRing}),
        Privileged({"EnterRing", Killed(), [] { return UseRing(SYS_io_uring_enter); }}),
        Privileged({"RegisterRing", Killed(), [] { return UseRing(SYS_io_uring_register); }}),
        Privileged({"MakeBpfMap", Killed(), MakeBpfMap}),
        Privileged({"CountEvents", Killed(), CountEvents}),
        Privileged(Call("HandleFaults", kKilled, SYS_userfaultfd, UFFD_USER_MODE_ONLY)),
        Privileged(Call("UseKeys", kKilled, SYS_keyctl, KEYCTL_GET_KEYRING_ID,
                        KEY_SPEC_SESSION_KEYRING, 0, 0, 0)),
        Call("MakeMemoryFile", kKilled, SYS_memfd_create, "x", 0),
        {"ChangeFilter", Killed(), ChangeFilter},
#if defined(SYS_open)
        {"Open", Killed(), [] { return OpenBy(SYS_open); }},
#endif
        {"Openat", Exited(EACCES), [] { return OpenBy(SYS_openat); }},
        {"Openat2", Killed(), [] { return OpenBy(SYS_openat2); }},
        {"LookAtFile", Exited(EACCES), LookAtFile},
        Call("ChangeDirectory", kKilled, SYS_chdir, "/"),
        Call("Duplicate", kKilled, SYS_dup, STDERR_FILENO),
        Privileged({"TypeIntoTerminal", Exited(ENOTTY), TypeIntoTerminal}),
        {"ListInterfaces", Exited(ENOTTY), ListInterfaces},
        {"AskForUrgentMark", Exited(ENOTTY), [] { return ControlSocket(SIOCATMARK); }},
        {"AskForOwner", Exited(ENOTTY), [] { return ControlSocket(SIOCGPGRP); }},
        {"AskForUnread", Exited(ENOTTY), [] { return ControlSocket(FIONREAD); }},
        {"AskForAddress", Exited(ENOTTY), [] { return ControlSocket(SIOCGIFADDR); }},
        {"AskForIndex", Exited(ENOTTY), [] { return ControlSocket(SIOCGIFINDEX); }},
        {"StopBlocking", Exited(ENOTTY), [] { return ControlSocket(FIONBIO); }},
        {"DuplicateByFcntl", Killed(), [] { return ControlDescriptor(F_DUPFD, 100); }},
        {"SignalOwner", Killed(), [] { return ControlDescriptor(F_SETOWN, getpid()); }},
  };
}

}  // namespace sockgate::escape
