#include "tests/integration/server_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/pipe_text.h"

namespace sockgate::testing {
namespace {

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "server process: %s\n", why.c_str());
  _exit(EXIT_FAILURE);
}

// Tells the parent the port and the certificate, then serves until the parent lets go.
[[noreturn]] void ServeUntil(const LoopbackServer::Options& options, int hold, UniqueFd report) {
  auto server = LoopbackServer::Start(options);
  if (!server.ok()) Die(server.status().ToString());
  WriteAll(report.get(), absl::StrCat((*server)->port(), "\n", (*server)->certificate_pem()));
  report.Reset();
  char none;
  static_cast<void>(read(hold, &none, 1) + 1);
  server->reset();
  _exit(EXIT_SUCCESS);
}

}  // namespace

ServerProcess::ServerProcess(LoopbackServer::Options options) : options_(std::move(options)) {
  Pipe hold;
  Pipe report;
  pid_ = fork();
  if (pid_ < 0) Die("fork");
  if (pid_ == 0) {
    hold.writer.Reset();
    report.reader.Reset();
    ServeUntil(options_, hold.reader.get(), std::move(report.writer));
  }
  report.writer.Reset();
  hold_ = std::move(hold.writer);
  const std::string text = ReadAll(report.reader.get());
  const size_t end = text.find('\n');
  int port = 0;
  if (end == std::string::npos || !absl::SimpleAtoi(text.substr(0, end), &port)) {
    Die("it did not start");
  }
  port_ = static_cast<uint16_t>(port);
  certificate_pem_ = text.substr(end + 1);
}

ServerProcess::~ServerProcess() {
  hold_.Reset();
  waitpid(pid_, nullptr, 0);
}

std::string ServerProcess::Url(const std::string& path) const {
  const bool v6 = options_.address.find(':') != std::string::npos;
  return absl::StrCat(options_.tls ? "https://" : "http://", v6 ? "[" : "", options_.address,
                      v6 ? "]" : "", ":", port_, path);
}

}  // namespace sockgate::testing
