#include "tests/support/ip_command.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "proto/unique_fd.h"

namespace sockgate::testing {
namespace {

// An ordinary user's PATH often lacks the sbin folders.
constexpr std::array<const char*, 4> kIpPaths = {"/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip",
                                                 "/bin/ip"};
constexpr size_t kMaxCommands =
    4096;  // fits a pipe, so that writing before the child runs cannot block

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};

absl::Status Failed(absl::string_view what, int error) {
  return absl::UnavailableError(absl::StrCat("ip: ", absl::ErrnoToStatus(error, what).message()));
}

bool OpenPipe(Pipe* pipe) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  pipe->reader.Reset(ends[0]);
  pipe->writer.Reset(ends[1]);
  return true;
}

const char* FindIp() {
  for (const char* path : kIpPaths) {
    if (access(path, X_OK) == 0) return path;
  }
  return nullptr;
}

int SpawnIp(const char* path, const Pipe& input, const Pipe& complaints, pid_t* pid) {
  std::string program("ip");
  std::string batch("-batch");
  std::string from_stdin("-");
  std::array<char*, 4> argv = {program.data(), batch.data(), from_stdin.data(), nullptr};
  std::array<char*, 1> no_environment = {nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.reader.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, complaints.writer.get(), STDERR_FILENO);
  const int error = posix_spawn(pid, path, &actions, nullptr, argv.data(), no_environment.data());
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

std::string ReadAll(int fd) {
  std::string all;
  std::array<char, 512> chunk{};
  for (;;) {
    const ssize_t got = read(fd, chunk.data(), chunk.size());
    if (got > 0) all.append(chunk.data(), static_cast<size_t>(got));
    if (got == 0 || (got < 0 && errno != EINTR)) return all;
  }
}

int AwaitExit(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

}  // namespace

absl::Status RunIpCommands(const std::string& commands) {
  if (commands.size() > kMaxCommands) return absl::InvalidArgumentError("too many ip commands");
  const char* path = FindIp();
  if (path == nullptr) {
    return absl::UnavailableError("no `ip` command (Debian: apt install iproute2)");
  }
  Pipe input;
  Pipe complaints;
  if (!OpenPipe(&input) || !OpenPipe(&complaints)) return Failed("pipe2", errno);
  if (write(input.writer.get(), commands.data(), commands.size()) < 0) {
    return Failed("write", errno);
  }
  input.writer.Reset();
  pid_t pid = -1;
  const int error = SpawnIp(path, input, complaints, &pid);
  if (error != 0) return Failed(path, error);
  complaints.writer.Reset();
  const std::string said = ReadAll(complaints.reader.get());
  if (AwaitExit(pid) == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("ip: ", absl::StripAsciiWhitespace(said)));
}

}  // namespace sockgate::testing
