// What a broker that was taken over may no longer do: every act under the cage of `sockgate serve`,
// where it ends as the table says, and without one, where it works.

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "confine/capabilities.h"
#include "confine/landlock_rules.h"
#include "tests/broker/temp_folder.h"
#include "tests/escape/act.h"
#include "tests/escape/loopback.h"

namespace sockgate::escape {

void PrintTo(const Act& act, std::ostream* out) { *out << act.name; }

namespace {

using confine::CageLevel;
using launch::ErrnoOf;
using launch::Exited;
using launch::ExitStatus;
using testing::TempFolder;

int LandlockAbi() { return confine::LandlockRules::KernelAbi(); }

// A folder with what a served broker has, and something beside it.
class Places {
 public:
  Places() {
    for (const char* folder : {"policy", "run", "elsewhere"}) {
      std::filesystem::create_directory(folder_ / folder);
    }
    std::ofstream(policy()) << "version = 1\n";
    std::ofstream(secret()) << "secret";
    log_.Reset(
        open((folder_ / "elsewhere/log").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  }

  std::string policy() const { return folder_ / "policy/policy.toml"; }
  std::string beside_policy() const { return folder_ / "policy/new"; }
  std::string path() const { return folder_ / "run/fetch"; }
  std::string secret() const { return folder_ / "elsewhere/secret"; }
  std::string elsewhere() const { return folder_ / "elsewhere/new"; }
  int log() const { return log_.get(); }

 private:
  const TempFolder folder_;
  UniqueFd log_;
};

// One for all acts, of which each has a process of its own.
const Places& Here() {
  static const auto* const places = new Places();
  return *places;
}

bool EnterCage(CageLevel level) {
  Role role;
  role.name = "fetch";
  BrokerOptions options;
  options.roles.push_back(role);
  options.audit.Reset(fcntl(Here().log(), F_DUPFD_CLOEXEC, 0));
  options.cage = level;
  static Broker* const broker = Broker::Create(std::move(options))->release();
  return broker->Listen({Here().path(), "fetch"}).ok() &&
         broker->EnterCage({Here().policy(), Here().path() + ".control"}).ok();
}

ExitStatus PerformIn(CageLevel level, const Act& act) {
  return launch::RunForked([&] {
    const Attempt attempt = act.arrange();
    if (level != CageLevel::kNone && !EnterCage(level)) return kNotConfined;
    return attempt();
  });
}

int OpenAt2(const std::string& path, uint64_t flags) {
  open_how how = {};
  how.flags = flags;
  how.mode = (flags & O_CREAT) != 0 ? 0600 : 0;
  return ErrnoOf(syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof(how)));
}

Act OpenAct(const char* name, int refusal, const std::string& path, int flags) {
  return {name, refusal == kKilled ? Killed() : Exited(refusal), [=]() -> Attempt {
            return
                [=] { return ErrnoOf(syscall(SYS_openat, AT_FDCWD, path.c_str(), flags, 0600)); };
          }};
}

Act OpenAct2(const char* name, const std::string& path, int flags) {
  return {name, Exited(EACCES),
          [=]() -> Attempt { return [=] { return OpenAt2(path, static_cast<uint64_t>(flags)); }; }};
}

std::vector<Act> FileActs() {
  const Places& here = Here();
  // Whose characters outlive the list.
  static const std::string policy = here.policy();
  static const std::string secret = here.secret();
  static const std::string link = here.elsewhere() + "-link";
  const std::string log = "/proc/self/fd/" + std::to_string(here.log());
  return {
      OpenAct("ReadElsewhere", EACCES, here.secret(), O_RDONLY),
      OpenAct("WriteElsewhere", kKilled, here.secret(), O_WRONLY),
      OpenAct("CreateElsewhere", kKilled, here.elsewhere(), O_WRONLY | O_CREAT),
      OpenAct("ChangeThePolicy", kKilled, here.policy(), O_RDWR),
      OpenAct("TruncateThePolicy", kKilled, here.policy(), O_RDONLY | O_TRUNC),
      // A filter cannot see the flags of openat2(2): here Landlock refuses.
      OpenAct2("ReadElsewhereByOpenat2", here.secret(), O_RDONLY),
      OpenAct2("WriteElsewhereByOpenat2", here.secret(), O_WRONLY),
      OpenAct2("ChangeThePolicyByOpenat2", here.policy(), O_RDWR),
      OpenAct2("WriteIntoThePolicysFolder", here.beside_policy(), O_WRONLY | O_CREAT),
      OpenAct2("OpenTheLogAnew", log, O_WRONLY | O_CLOEXEC),
      Call("CutTheLog", kKilled, SYS_ftruncate, here.log(), 0),
      Call("OverwriteTheLog", kKilled, SYS_pwrite64, here.log(), "x", 1, 0),
      Call("PunchAHoleIntoTheLog", kKilled, SYS_fallocate, here.log(), 3, 0, 1),
      Call("TakeAppendFromTheLog", EPERM, SYS_fcntl, here.log(), F_SETFL, 0),
      Call("TruncateByName", kKilled, SYS_truncate, policy.c_str(), 0),
      Call("LinkThePolicy", kKilled, SYS_link, policy.c_str(), link.c_str()),
      Call("RenameThePolicy", kKilled, SYS_rename, policy.c_str(), policy.c_str()),
      // What is its own an ordinary user may open to others, but root owns all that matters.
      Call("MakeASetUserIdFile", geteuid() == 0 ? EPERM : kKilled, SYS_chmod, secret.c_str(),
           04755),
      {"OpenAFileToAll", Exited(geteuid() == 0 ? EPERM : 0),
       []() -> Attempt { return [] { return ErrnoOf(chmod(secret.c_str(), 0666)); }; }},
      {"UnlinkThePolicy", Exited(EACCES),
       [] {
         const std::string copy = Here().beside_policy() + std::to_string(getpid());
         std::ofstream(copy) << "x";
         return [copy] { return ErrnoOf(unlink(copy.c_str())); };
       }},
      {"BindElsewhere", Exited(EACCES),
       []() -> Attempt {
         return [] {
           sockaddr_un address = {AF_UNIX, {}};
           std::strcpy(address.sun_path, (Here().elsewhere() + std::to_string(getpid())).c_str());
           const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
           return ErrnoOf(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
         };
       }},
  };
}

int EndTheChild(int64_t result) {
  if (result == 0) _exit(0);
  if (result < 0) return errno;
  waitpid(static_cast<pid_t>(result), nullptr, 0);
  return 0;
}

Attempt MakeExecutable(bool fresh) {
  constexpr size_t kPage = 4096;
  void* page = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return [=] {
    if (!fresh) return ErrnoOf(mprotect(page, kPage, PROT_READ | PROT_EXEC));
    page == MAP_FAILED ? errno = EFAULT : 0;
    const void* made =
        mmap(nullptr, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return made == MAP_FAILED ? errno : 0;
  };
}

// A process that is not in the cage. It ends with the one that arranged it, which it learns from a
// pipe: a caged process cannot even leave it the signal of its death.
pid_t Neighbour() {
  int life[2];
  Must(pipe(life));
  const pid_t pid = Must(fork());
  if (pid != 0) return pid;
  close(life[1]);
  char end;
  const ssize_t size = read(life[0], &end, 1);
  _exit(static_cast<int>(size));
}

Attempt TouchMemory(int64_t number) {
  const pid_t victim = Neighbour();
  return [=] {
    static char here[8];
    static char there[8];
    const iovec local{here, sizeof(here)};
    const iovec remote{there, sizeof(there)};
    return ErrnoOf(syscall(number, victim, &local, 1, &remote, 1, 0));
  };
}

std::vector<Act> ProcessActs() {
  static const char* const kArguments[] = {"/bin/true", nullptr};
  static const clone_args kFork = {};
  return {
      Call("Execve", kKilled, SYS_execve, kArguments[0], kArguments, nullptr),
      Call("Execveat", kKilled, SYS_execveat, AT_FDCWD, kArguments[0], kArguments, nullptr, 0),
      {"Fork", Killed(), []() -> Attempt { return [] { return EndTheChild(fork()); }; }},
      {"Clone3", Exited(ENOSYS),
       []() -> Attempt {
         return [] { return EndTheChild(syscall(SYS_clone3, &kFork, sizeof(kFork))); };
       }},
      Call("BeTraced", kKilled, SYS_ptrace, PTRACE_TRACEME, 0, 0, 0),
      Privileged({"Trace", Killed(),
                  [] {
                    const pid_t victim = Neighbour();
                    return [=] { return ErrnoOf(ptrace(PTRACE_SEIZE, victim, 0, 0)); };
                  }}),
      Privileged({"ReadMemory", Killed(), [] { return TouchMemory(SYS_process_vm_readv); }}),
      Privileged({"WriteMemory", Killed(), [] { return TouchMemory(SYS_process_vm_writev); }}),
      Privileged({"TakeADescriptor", Killed(),
                  [] {
                    const int victim = Must(syscall(SYS_pidfd_open, Neighbour(), 0));
                    return [=] { return ErrnoOf(syscall(SYS_pidfd_getfd, victim, 2, 0)); };
                  }}),
      {"Kill", Exited(EPERM),
       [] {
         const pid_t victim = Neighbour();
         return [=] { return ErrnoOf(kill(victim, SIGKILL)); };
       }},
      {"KillByPidfd", Killed(),
       [] {
         const int victim = Must(syscall(SYS_pidfd_open, Neighbour(), 0));
         return [=] { return ErrnoOf(syscall(SYS_pidfd_send_signal, victim, 9, nullptr, 0)); };
       }},
      {"MapExecutable", Exited(EPERM), [] { return MakeExecutable(true); }},
      {"MakeExecutable", Exited(EPERM), [] { return MakeExecutable(false); }},
      Call("ChangeUser", kKilled, SYS_setresuid, getuid(), getuid(), getuid()),
      Call("ChangeGroup", kKilled, SYS_setresgid, getgid(), getgid(), getgid()),
      Privileged(Call("ChangeGroups", kKilled, SYS_setgroups, 0, nullptr)),
      {"ChangeCapabilities", Killed(),
       []() -> Attempt { return [] { return confine::UseCapabilities(0); }; }},
      Call("BeDumpable", kKilled, SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0),
      Privileged(Call("Unshare", kKilled, SYS_unshare, CLONE_NEWUSER)),
      Privileged(Call("ChangeRoot", kKilled, SYS_chroot, "/")),
      Call("ChangeDirectory", kKilled, SYS_chdir, "/"),
  };
}

Attempt BindTcp(bool any_port) {
  const Place free = MakePlace(SOCK_STREAM);
  sockaddr_in address = free.address;
  if (any_port) address.sin_port = 0;
  close(free.fd);
  return [address] {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    return ErrnoOf(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
  };
}

Attempt ConnectToAbstract() {
  sockaddr_un address = {AF_UNIX, {}};
  std::snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "sockgate-%d", getpid());
  const int listener = Must(socket(AF_UNIX, SOCK_STREAM, 0));
  Must(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)));
  Must(listen(listener, 1));
  return [address] {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return ErrnoOf(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
  };
}

Attempt SendTo(int type, int flags) {
  const Place other = MakePlace(type);
  return [=] {
    const int fd = socket(AF_INET, type, 0);
    return ErrnoOf(sendto(fd, "x", 1, flags, reinterpret_cast<const sockaddr*>(&other.address),
                          sizeof(other.address)));
  };
}

Attempt SetOption(int level, int name, const void* value, size_t size) {
  const int fd = NewSocket(SOCK_STREAM);
  return [=] { return ErrnoOf(setsockopt(fd, level, name, value, static_cast<socklen_t>(size))); };
}

std::vector<Act> NetworkActs() {
  static sock_filter accept = {BPF_RET | BPF_K, 0, 0, 0xffff};
  static const sock_fprog program = {1, &accept};
  static const int on = 1;
  return {
      Privileged(Call("RawSocket", kKilled, SYS_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP)),
      Privileged(Call("RawSocket6", kKilled, SYS_socket, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)),
      Privileged(Call("PacketSocket", kKilled, SYS_socket, AF_PACKET, SOCK_RAW, 0)),
      Privileged(Call("IcmpSocket", kKilled, SYS_socket, AF_INET, SOCK_DGRAM, IPPROTO_ICMP)),
      Privileged(
          Call("FirewallSocket", kKilled, SYS_socket, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER)),
      Privileged(Call("MachineSocket", kKilled, SYS_socket, AF_VSOCK, SOCK_STREAM, 0)),
      Privileged(Call("MultipathSocket", kKilled, SYS_socket, AF_INET, SOCK_STREAM, 262)),
      Call("UnixDatagramSocket", EACCES, SYS_socket, AF_UNIX, SOCK_DGRAM, 0),
      {"SendToAnyAddress", Killed(), [] { return SendTo(SOCK_DGRAM, 0); }},
      Privileged({"ConnectByFastOpen", Killed(), [] { return SendTo(SOCK_STREAM, MSG_FASTOPEN); }}),
      Privileged(
          {"AttachAFilter", Killed(),
           [] { return SetOption(SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)); }}),
      Privileged({"Repair", Killed(), [] { return SetOption(IPPROTO_TCP, TCP_REPAIR, &on, 4); }}),
      Privileged(
          {"Transparent", Killed(), [] { return SetOption(IPPROTO_IP, IP_TRANSPARENT, &on, 4); }}),
      {"ReuseAnAddress", Killed(),
       [] { return SetOption(SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); }},
  };
}

std::vector<Act> LandlockActs() {
  std::vector<Act> acts;
  if (LandlockAbi() >= 4) {
    acts.push_back({"BindATcpPort", Exited(EACCES), [] { return BindTcp(false); }});
    acts.push_back({"BindAnyTcpPort", Exited(EACCES), [] { return BindTcp(true); }});
  }
  if (LandlockAbi() >= 6) {
    acts.push_back({"ConnectToAnAbstractSocket", Exited(EPERM), ConnectToAbstract});
  }
  return acts;
}

std::vector<Act> KernelActs() {
  static io_uring_params ring = {};
  static const char kType[] = "user";
  return {
      Privileged(Call("SetUpRing", kKilled, SYS_io_uring_setup, 1, &ring)),
      Privileged(Call("Bpf", kKilled, SYS_bpf, 0, nullptr, 0)),
      Privileged(Call("CountEvents", kKilled, SYS_perf_event_open, nullptr, 0, -1, -1, 0)),
      Privileged(Call("HandleFaults", kKilled, SYS_userfaultfd, 1)),
      Privileged(Call("AddAKey", kKilled, SYS_add_key, kType, "x", "x", 1, -2)),
      Privileged(Call("Mount", kKilled, SYS_mount, "none", "/nowhere", "tmpfs", 0, nullptr)),
      Privileged(Call("LoadAModule", kKilled, SYS_finit_module, -1, "", 0)),
      Call("MakeAMemoryFile", EPERM, SYS_memfd_create, "x", 0),
      Privileged(Call("TypeIntoTheTerminal", ENOTTY, SYS_ioctl, 0, 0x5412, "x")),
      Call("Duplicate", kKilled, SYS_dup, 2),
      Call("Splice", kKilled, SYS_splice, -1, nullptr, -1, nullptr, 0, 0),
  };
}

class BrokerEscape : public ::testing::TestWithParam<Act> {};

TEST_P(BrokerEscape, IsRefusedInTheCage) {
  if (LandlockAbi() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(PerformIn(CageLevel::kFull, GetParam()), GetParam().confined);
}

TEST_P(BrokerEscape, IsRealWithoutOne) {
  const ExitStatus free = PerformIn(CageLevel::kNone, GetParam());
  if (!GetParam().host_may_refuse) {
    EXPECT_EQ(free, Exited(0)) << "unconfined, the act has to succeed";
  } else {
    EXPECT_FALSE(free == Killed());
  }
}

const auto kName = [](const auto& each) { return each.param.name; };
INSTANTIATE_TEST_SUITE_P(File, BrokerEscape, ::testing::ValuesIn(FileActs()), kName);
INSTANTIATE_TEST_SUITE_P(Process, BrokerEscape, ::testing::ValuesIn(ProcessActs()), kName);
INSTANTIATE_TEST_SUITE_P(Network, BrokerEscape, ::testing::ValuesIn(NetworkActs()), kName);
INSTANTIATE_TEST_SUITE_P(Landlock, BrokerEscape, ::testing::ValuesIn(LandlockActs()), kName);
INSTANTIATE_TEST_SUITE_P(Kernel, BrokerEscape, ::testing::ValuesIn(KernelActs()), kName);

// Without Landlock the filter alone keeps the broker from programs, processes and writing by
// open(2), but not from reading.
TEST(BrokerEscapeWithoutLandlock, TheFilterStands) {
  for (const Act& act : ProcessActs()) {
    EXPECT_EQ(PerformIn(CageLevel::kWithoutLandlock, act), act.confined) << act.name;
  }
  EXPECT_EQ(
      PerformIn(CageLevel::kWithoutLandlock, OpenAct("", 0, Here().secret(), O_WRONLY | O_TRUNC)),
      Killed());
  EXPECT_EQ(PerformIn(CageLevel::kWithoutLandlock, OpenAct("", 0, Here().secret(), O_RDONLY)),
            Exited(0));
}

// Of a connection's data how much is unacknowledged is all that ioctl(2) tells: whatever differs from
// that question in one bit is not for this descriptor.
TEST(BrokerEscapeNot, ItMayAskWhatIsUnacknowledgedAndNothingNearIt) {
  EXPECT_EQ(launch::RunForked([] {
              const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
              if (!EnterCage(CageLevel::kIfPossible)) return kNotConfined;
              int bytes = -1;
              if (ioctl(fd.get(), SIOCOUTQ, &bytes) != 0 || bytes != 0) return 1;
              for (unsigned bit = 0; bit < 32; ++bit) {
                const unsigned long request = SIOCOUTQ ^ (1UL << bit);
                if (ioctl(fd.get(), request, &bytes) != -1 || errno != ENOTTY) return 2;
              }
              return 0;
            }),
            Exited(0));
}

// A failed check of the broker's own looks as it does elsewhere.
TEST(BrokerEscapeNot, ItMayAbort) {
  EXPECT_EQ(launch::RunForked([] {
              if (!EnterCage(CageLevel::kIfPossible)) return kNotConfined;
              abort();
            }),
            launch::Signaled(SIGABRT));
}

}  // namespace
}  // namespace sockgate::escape
