#include "tests/support/test_namespace.h"

#include <absl/strings/str_cat.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "proto/unique_fd.h"
#include "tests/support/ip_command.h"
#include "tests/support/process_stats.h"
#include "tests/support/tcp_socket.h"

namespace sockgate::testing {
namespace {

constexpr char kHoleSourceV6[] = "2001:db8:66::1";
constexpr std::chrono::seconds kAddressPatience{10};
constexpr std::chrono::milliseconds kProbePatience{100};
constexpr std::chrono::milliseconds kProbePause{1};

absl::Status Unavailable(absl::string_view what, int error) {
  return absl::UnavailableError(
      absl::StrCat("no test network: ", absl::ErrnoToStatus(error, what).message()));
}

absl::Status CheckSingleThread() {
  const auto threads = ThreadCount(getpid());
  if (!threads.ok()) return threads.status();
  if (*threads == 1) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the process has ", *threads, " threads; a namespace must be entered with one"));
}

absl::Status WriteProcFile(const char* path, const std::string& text) {
  const UniqueFd fd(open(path, O_WRONLY | O_CLOEXEC));
  if (!fd.valid() || write(fd.get(), text.data(), text.size()) < 0) return Unavailable(path, errno);
  return absl::OkStatus();
}

// User 0 of a new user namespace, since only that one keeps its capabilities when it executes `ip`.
absl::Status UnshareUserAndNetwork() {
  const uid_t uid = getuid();
  const gid_t gid = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    return Unavailable("unshare(CLONE_NEWUSER | CLONE_NEWNET)", errno);
  }
  auto status = WriteProcFile("/proc/self/setgroups", "deny");
  if (status.ok()) status = WriteProcFile("/proc/self/uid_map", absl::StrCat("0 ", uid, " 1"));
  if (status.ok()) status = WriteProcFile("/proc/self/gid_map", absl::StrCat("0 ", gid, " 1"));
  return status;
}

absl::Status UnshareNetwork() {
  if (unshare(CLONE_NEWNET) == 0) return absl::OkStatus();
  if (errno != EPERM) return Unavailable("unshare(CLONE_NEWNET)", errno);
  return UnshareUserAndNetwork();
}

// The veth's far end drops frames that carry another's hardware address, and the static neighbour
// entry gives the black hole such an address: nothing ever answers, and no ARP or NDP query can
// fail first.
std::string NetworkPlan() {
  std::string plan =
      "link set lo up\n"
      "link add hole0 type veth peer name hole1\n"
      "link set hole0 up\n"
      "link set hole1 up\n"
      "addr add 203.0.113.1/24 dev hole0\n";
  absl::StrAppend(&plan, "addr add ", kHoleSourceV6, "/64 dev hole0 nodad\n");
  for (const char* hole : {kBlackHoleV4, kBlackHoleV6}) {
    absl::StrAppend(&plan, "neigh add ", hole,
                    " lladdr 02:00:00:00:00:66 dev hole0 nud permanent\n");
  }
  for (const char* dead_end : {kUnreachableV4, kUnreachableV6}) {
    absl::StrAppend(&plan, "route add unreachable ", dead_end, "\n");
  }
  return plan;
}

bool IsLiteral(int family, const std::string& address) {
  in6_addr ignored{};
  return inet_pton(family, address.c_str(), &ignored) == 1;
}

bool AnswersItself(const std::string& address) {
  const auto listener = ListenTcp(address, 0, 1);
  if (!listener.ok()) return false;
  const auto port = LocalPort(listener->get());
  return port.ok() && TryConnect(address, *port, kProbePatience).error == 0;
}

// A kernel worker installs the local route of a new IPv6 address some time after the command that
// added it has returned; until then connections to and from the address fail.
absl::Status AwaitAddress(const std::string& address) {
  const auto deadline = std::chrono::steady_clock::now() + kAddressPatience;
  while (!AnswersItself(address)) {
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::UnavailableError(
          absl::StrCat("no test network: ", address, " does not come up"));
    }
    std::this_thread::sleep_for(kProbePause);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status EnterTestNetwork() {
  auto status = CheckSingleThread();
  if (status.ok()) status = UnshareNetwork();
  if (status.ok()) status = RunIpCommands(NetworkPlan());
  if (status.ok()) status = AwaitAddress("::1");
  if (status.ok()) status = AwaitAddress(kHoleSourceV6);
  return status;
}

absl::Status AddLocalAddress(const std::string& address) {
  if (IsLiteral(AF_INET, address)) {
    return RunIpCommands(absl::StrCat("addr add ", address, "/32 dev lo\n"));
  }
  if (!IsLiteral(AF_INET6, address)) {
    return absl::InvalidArgumentError(absl::StrCat("no address literal: ", address));
  }
  const auto status = RunIpCommands(absl::StrCat("addr add ", address, "/128 dev lo nodad\n"));
  return status.ok() ? AwaitAddress(address) : status;
}

}  // namespace sockgate::testing
