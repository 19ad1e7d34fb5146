#include "tests/bench/compare/helper_program.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sockgate::bench {
namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kPause{10};

// Not the caller's PATH: an ordinary user's has no folder of daemons.
std::string FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  for (const char* folder : {"/usr/sbin", "/usr/bin", "/sbin", "/bin"}) {
    std::string path = absl::StrCat(folder, "/", name);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

// The last line, or the last that calls itself fatal.
std::string LastLine(const std::string& path) {
  std::ifstream file(path);
  std::string last;
  bool fatal = false;
  for (std::string line; std::getline(file, line);) {
    const bool says_so = line.find("FATAL") != std::string::npos;
    if (line.empty() || (fatal && !says_so)) continue;
    last = line;
    fatal = says_so;
  }
  return last;
}

[[noreturn]] void Execute(const std::string& path, const HelperCommand& command) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int null = open("/dev/null", O_RDONLY);
  const int log = open(command.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
      dup2(log, STDERR_FILENO) < 0) {
    _exit(1);
  }
  close_range(STDERR_FILENO + 1, ~0U, 0);
  std::vector<char*> words;
  for (const std::string& word : command.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execv(path.c_str(), words.data());
  _exit(1);
}

}  // namespace

absl::StatusOr<std::unique_ptr<HelperProgram>> HelperProgram::Start(const HelperCommand& command) {
  const std::string path = FindProgram(command.words.front());
  if (access(path.c_str(), X_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("not installed: ", command.package));
  }
  const auto pid =
      static_cast<pid_t>(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, nullptr, nullptr, nullptr, 0));
  if (pid < 0) return absl::ErrnoToStatus(errno, "no processes of its own");
  if (pid == 0) Execute(path, command);
  std::unique_ptr<HelperProgram> program(new HelperProgram(pid));
  const absl::Status status = program->AwaitReady(command);
  if (!status.ok()) return status;
  return program;
}

absl::Status HelperProgram::AwaitReady(const HelperCommand& command) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!command.ready(pid_)) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return absl::UnavailableError(
          absl::StrCat(command.package, " does not start: ", LastLine(command.log)));
    }
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::UnavailableError(
          absl::StrCat(command.package, " is not ready: ", LastLine(command.log)));
    }
    std::this_thread::sleep_for(kPause);
  }
  return absl::OkStatus();
}

HelperProgram::~HelperProgram() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace sockgate::bench
