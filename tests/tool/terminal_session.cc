#include "tests/tool/terminal_session.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <chrono>
#include <cstdlib>

#include "proto/check.h"
#include "tests/tool/command.h"

namespace sockgate::testing {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience(10);

// What waitpid(2) says once it says anything. -1: it does not.
int AwaitChange(pid_t pid, int options) {
  int status = -1;
  const auto until = Clock::now() + kPatience;
  while (waitpid(pid, &status, WNOHANG | options) == 0) {
    if (Clock::now() > until) return -1;
    usleep(5000);
  }
  return status;
}

}  // namespace

TerminalSession::TerminalSession(const std::vector<std::string>& arguments, unsigned short rows,
                                 unsigned short columns) {
  int master = -1;
  int terminal = -1;
  const winsize size = {rows, columns, 0, 0};
  SOCKGATE_CHECK(openpty(&master, &terminal, nullptr, nullptr, &size) == 0);
  master_.Reset(master);
  terminal_.Reset(terminal);
  pid_ = fork();
  SOCKGATE_CHECK(pid_ >= 0);
  if (pid_ != 0) return;
  master_.Reset();
  SOCKGATE_CHECK(login_tty(terminal_.Release()) == 0);
  setenv("TERM", "xterm", 1);
  ExecuteSockgate(arguments);
}

TerminalSession::~TerminalSession() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::optional<std::string> TerminalSession::Await(const std::string& text) {
  const auto until = Clock::now() + kPatience;
  size_t at = drawn_.find(text);
  while (at == std::string::npos) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0 || !ReadSome(static_cast<int>(left.count()))) return std::nullopt;
    at = drawn_.find(text);
  }
  std::string found = drawn_.substr(0, at + text.size());
  drawn_.erase(0, at + text.size());
  return found;
}

void TerminalSession::Type(const std::string& keys) const {
  SOCKGATE_CHECK(write(master_.get(), keys.data(), keys.size()) ==
                 static_cast<ssize_t>(keys.size()));
}

// As a terminal's window does: the kernel tells whoever is in the foreground.
void TerminalSession::Resize(unsigned short rows, unsigned short columns) const {
  const winsize size = {rows, columns, 0, 0};
  SOCKGATE_CHECK(ioctl(master_.get(), TIOCSWINSZ, &size) == 0);
}

void TerminalSession::Signal(int number) const { kill(pid_, number); }

bool TerminalSession::AwaitStop() {
  const int status = AwaitChange(pid_, WUNTRACED);
  return status != -1 && WIFSTOPPED(status);
}

int TerminalSession::AwaitEnd() {
  const int status = AwaitChange(pid_, 0);
  SOCKGATE_CHECK(status != -1);
  pid_ = -1;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

std::string TerminalSession::Rest() {
  while (ReadSome(0)) {
  }
  return std::exchange(drawn_, "");
}

bool TerminalSession::echoes() const {
  termios now;
  SOCKGATE_CHECK(tcgetattr(terminal_.get(), &now) == 0);
  return (now.c_lflag & ECHO) != 0;
}

bool TerminalSession::ReadSome(int timeout_ms) {
  pollfd entry = {master_.get(), POLLIN, 0};
  if (poll(&entry, 1, timeout_ms) != 1) return false;
  char text[4096];
  const ssize_t size = read(master_.get(), text, sizeof(text));
  if (size <= 0) return false;
  drawn_.append(text, static_cast<size_t>(size));
  return true;
}

}  // namespace sockgate::testing
