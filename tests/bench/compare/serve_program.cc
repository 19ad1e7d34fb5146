#include "tests/bench/compare/serve_program.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace sockgate::bench {
namespace {

std::string PolicyText(const std::string& path) {
  return absl::StrCat("version = 1\n[[listen]]\npath = \"", path, "\"\nrole = \"fetcher\"\n", R"(
[roles.fetcher]
deny = [
  { cidr = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"] },
  { cidr = ["fc00::/7", "fe80::/10"] },
]
allow = [
  { public = true, ports = [80, 443] },
  { host = ["example.com", "*.example.com"], ports = 443 },
  { cidr = "127.0.0.0/24", ports = "1024-65535" },
]
)");
}

absl::StatusOr<UniqueFd> ConnectTo(const std::string& path) {
  UniqueFd channel(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (connect(channel.get(), generic, sizeof(address)) != 0) {
    return absl::ErrnoToStatus(errno, path);
  }
  return channel;
}

}  // namespace

absl::StatusOr<ServeProgram> ServeProgram::Start(const Options& options) {
  const std::string path = options.folder + "/broker";
  const std::string policy = options.folder + "/policy.toml";
  std::ofstream(policy) << PolicyText(path);
  HelperCommand command;
  command.words = {options.sockgate, "serve",   "--policy",
                   policy,           "--audit", options.folder + "/audit"};
  if (options.root) command.words.insert(command.words.end(), {"--user", "nobody"});
  command.package = "sockgate";
  command.log = options.folder + "/log";
  command.ready = [path](pid_t /*pid*/) { return ConnectTo(path).ok(); };
  auto program = HelperProgram::Start(command);
  if (!program.ok()) return program.status();
  return ServeProgram(*std::move(program), path);
}

absl::StatusOr<UniqueFd> ServeProgram::AddWorker() const { return ConnectTo(path_); }

}  // namespace sockgate::bench
