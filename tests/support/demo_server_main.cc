// demo_server: one HTTP and one HTTPS loopback server, for scripts.
//
//   demo_server --ca FILE [--seconds N]
//
// Writes the certificate that clients must trust to FILE, then prints one line:
//   http=127.0.0.1:PORT https=127.0.0.1:PORT ca=FILE
// and serves until its standard input closes, SIGTERM or SIGINT comes, or N seconds (600) have
// passed. A script that runs it in the background must give it an input that stays open: a pipe,
// not /dev/null. Exit status: 0 after serving, 1 when it could not start, else a usage error.

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <string>

#include "proto/unique_fd.h"
#include "tests/support/http_server.h"

namespace sockgate::testing {
namespace {

using Clock = std::chrono::steady_clock;

// Before any thread starts, so that every thread leaves the signals to the descriptor.
UniqueFd CatchTermination() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC));
}

bool InputClosed() {
  std::array<char, 4096> ignored{};
  return read(STDIN_FILENO, ignored.data(), ignored.size()) <= 0;
}

void ServeUntilTold(int termination, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return;
    std::array<pollfd, 2> ready = {{{termination, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    const int count = poll(ready.data(), ready.size(), static_cast<int>(left.count()));
    if (count < 0 && errno != EINTR) return;
    if (count <= 0) continue;
    if (ready[0].revents != 0 || (ready[1].revents != 0 && InputClosed())) return;
  }
}

bool WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  return !file.fail();
}

int Fail(const std::string& why) {
  std::cerr << "demo_server: " << why << "\n";
  return 1;
}

int Run(const std::string& ca_path, int seconds) {
  const UniqueFd termination = CatchTermination();
  if (!termination.valid()) return Fail("no signalfd");
  LoopbackServer::Options options;
  const auto http = LoopbackServer::Start(options);
  if (!http.ok()) return Fail(http.status().ToString());
  options.tls = true;
  const auto https = LoopbackServer::Start(options);
  if (!https.ok()) return Fail(https.status().ToString());
  if (!WriteFile(ca_path, (*https)->certificate_pem())) return Fail("cannot write " + ca_path);
  std::cout << "http=" << (*http)->authority() << " https=" << (*https)->authority()
            << " ca=" << ca_path << std::endl;
  ServeUntilTold(termination.get(), Clock::now() + std::chrono::seconds(seconds));
  return 0;
}

}  // namespace
}  // namespace sockgate::testing

// NOLINTNEXTLINE(bugprone-exception-escape): nothing is left to save when memory runs out here.
int main(int argc, char** argv) {
  constexpr int kDay = 24 * 60 * 60;
  std::string ca_path;
  int seconds = 600;
  CLI::App app("Serves HTTP and HTTPS on 127.0.0.1 until its input closes.");
  app.add_option("--ca", ca_path, "where to write the certificate to trust (PEM)")->required();
  app.add_option("--seconds", seconds, "serve no longer than this")->check(CLI::Range(1, kDay));
  CLI11_PARSE(app, argc, argv);
  return sockgate::testing::Run(ca_path, seconds);
}
