#include "tests/escape/features/side_servers.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "proto/check.h"
#include "tests/integration/pipe_text.h"
#include "tests/support/ftp_server.h"
#include "tests/support/tunnel_proxy.h"
#include "tests/support/websocket_echo.h"

namespace sockgate::escape {
namespace {

using testing::Pipe;

// The servers are gone before the child is.
void ServeUntil(int hold, int report) {
  const testing::FtpServer ftp({});
  const testing::TunnelProxy tunnel;
  const testing::WebSocketEcho echo;
  const SideServers::Ports ports = {ftp.port(), tunnel.port(), echo.port()};
  SOCKGATE_CHECK(write(report, &ports, sizeof(ports)) == sizeof(ports));
  char none;
  static_cast<void>(read(hold, &none, 1) + 1);
}

}  // namespace

SideServers::SideServers() {
  Pipe hold;
  Pipe report;
  pid_ = fork();
  SOCKGATE_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    hold.writer.Reset();
    ServeUntil(hold.reader.get(), report.writer.get());
    _exit(EXIT_SUCCESS);
  }
  report.writer.Reset();
  hold_ = std::move(hold.writer);
  SOCKGATE_CHECK(read(report.reader.get(), &ports_, sizeof(ports_)) == sizeof(ports_));
}

SideServers::~SideServers() {
  hold_.Reset();
  waitpid(pid_, nullptr, 0);
}

}  // namespace sockgate::escape
