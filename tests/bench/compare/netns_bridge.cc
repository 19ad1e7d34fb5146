#include "tests/bench/compare/netns_bridge.h"

#include <unistd.h>

#include <array>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/bench/compare/process_tree.h"

namespace sockgate::bench {
namespace {

constexpr char kBacklog[] = "backlog=4096";

std::string SocketPath(const std::string& folder, uint16_t port) {
  return absl::StrCat(folder, "/", port);
}

std::string NetworkOf(pid_t pid) {
  std::array<char, 64> name;
  const ssize_t size =
      readlink(absl::StrCat("/proc/", pid, "/ns/net").c_str(), name.data(), name.size());
  return size <= 0 ? "" : std::string(name.data(), static_cast<size_t>(size));
}

// Whether somebody listens at the port, by the table of the process's network (proc_net_tcp(5)).
bool ListensAt(pid_t pid, uint16_t port) {
  std::ifstream table(absl::StrCat("/proc/", pid, "/net/tcp"));
  const std::string suffix = absl::StrCat(":", absl::Hex(port, absl::kZeroPad4));
  for (std::string line; std::getline(table, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (fields.size() < 4 || fields[3] != "0A") continue;
    std::string local = fields[1];
    for (char& letter : local) letter = static_cast<char>(tolower(letter));
    if (local.substr(local.find(':')) == suffix) return true;
  }
  return false;
}

// The first process of the sandbox, once it listens at both ports; 0: not yet.
pid_t FindInside(pid_t bubblewrap, const TargetServer& server) {
  for (const pid_t pid : ProcessTree(bubblewrap)) {
    const std::string network = NetworkOf(pid);
    if (network.empty() || network == NetworkOf(getpid())) continue;
    if (ListensAt(pid, server.port()) && ListensAt(pid, server.tls_port())) return pid;
  }
  return 0;
}

std::string InsideBridge(const std::string& folder, uint16_t port) {
  return absl::StrCat("socat TCP-LISTEN:", port, ",fork,reuseaddr,", kBacklog,
                      " UNIX-CONNECT:", SocketPath(folder, port));
}

}  // namespace

absl::StatusOr<NetnsBridge> NetnsBridge::Start(const std::string& folder,
                                               const TargetServer& server) {
  NetnsBridge bridge;
  absl::Status status = bridge.StartOutside(folder, server.port());
  if (status.ok()) status = bridge.StartOutside(folder, server.tls_port());
  if (status.ok()) status = bridge.StartInside(folder, server);
  if (!status.ok()) return status;
  return bridge;
}

absl::Status NetnsBridge::StartOutside(const std::string& folder, uint16_t port) {
  const std::string path = SocketPath(folder, port);
  HelperCommand command;
  command.words = {"socat", absl::StrCat("UNIX-LISTEN:", path, ",fork,", kBacklog),
                   absl::StrCat("TCP:127.0.0.1:", port)};
  command.package = "socat";
  command.log = folder + "/log";
  command.ready = [path](pid_t /*pid*/) { return access(path.c_str(), F_OK) == 0; };
  auto program = HelperProgram::Start(command);
  if (!program.ok()) return program.status();
  programs_.push_back(*std::move(program));
  return absl::OkStatus();
}

absl::Status NetnsBridge::StartInside(const std::string& folder, const TargetServer& server) {
  HelperCommand command;
  command.words = {"bwrap",
                   "--unshare-net",
                   "--die-with-parent",
                   "--dev-bind",
                   "/",
                   "/",
                   "sh",
                   "-c",
                   absl::StrCat(InsideBridge(folder, server.port()), " & exec ",
                                InsideBridge(folder, server.tls_port()))};
  command.package = "bubblewrap";
  command.log = folder + "/log";
  pid_t inside = 0;
  command.ready = [&](pid_t pid) {
    inside = FindInside(pid, server);
    return inside != 0;
  };
  auto program = HelperProgram::Start(command);
  if (!program.ok()) return program.status();
  programs_.push_back(*std::move(program));
  network_ = absl::StrCat("/proc/", inside, "/ns/net");
  return absl::OkStatus();
}

}  // namespace sockgate::bench
