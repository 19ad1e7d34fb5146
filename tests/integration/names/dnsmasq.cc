#include "tests/integration/names/dnsmasq.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "proto/check.h"
#include "tests/support/tcp_socket.h"

namespace sockgate::testing {
namespace {

constexpr char kProgram[] = "/usr/sbin/dnsmasq";

std::vector<std::string> Words(const std::vector<std::string>& zone, uint16_t port) {
  std::vector<std::string> words = {kProgram,
                                    "--no-daemon",
                                    "--conf-file=/dev/null",
                                    "--no-resolv",
                                    "--no-hosts",
                                    "--pid-file=",
                                    "--log-facility=-",
                                    "--log-queries",
                                    "--bind-interfaces",
                                    "--listen-address=127.0.0.1",
                                    "--local=/test/",
                                    "--local-ttl=60",
                                    "--edns-packet-max=512",
                                    absl::StrCat("--port=", port)};
  words.insert(words.end(), zone.begin(), zone.end());
  return words;
}

[[noreturn]] void Execute(std::vector<std::string> words, const std::string& log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(fd, STDERR_FILENO);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(kProgram, arguments.data());
  _exit(127);
}

size_t Count(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

}  // namespace

Dnsmasq::Dnsmasq(const std::vector<std::string>& zone) {
  pid_ = fork();
  SOCKGATE_CHECK(pid_ >= 0);
  if (pid_ == 0) Execute(Words(zone, kPort), folder_ / "log");
  // It listens for both transports before it answers either.
  SOCKGATE_CHECK(AwaitListener("127.0.0.1", kPort));
}

Dnsmasq::~Dnsmasq() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string Dnsmasq::Log() const {
  std::ifstream file(folder_ / "log");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

size_t Dnsmasq::TimesAsked(const std::string& name) const {
  return Count(Log(), absl::StrCat("query[A] ", name, " from"));
}

bool Dnsmasq::HasHeardOf(const std::string& name) const { return Count(Log(), name) > 0; }

}  // namespace sockgate::testing
