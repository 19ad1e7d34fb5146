#include "tests/support/http_server.h"

#include <absl/strings/str_cat.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "tests/support/tcp_socket.h"
#include "tests/support/tls_stream.h"

namespace sockgate::testing {
namespace {

constexpr int kBacklog = 4096;

// Signals are for the threads of the program that embeds the server, and SIGPIPE is for nobody.
void BlockAllSignals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

absl::StatusOr<UniqueFd> ListenUnix(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return absl::InvalidArgumentError(path);
  path.copy(address.sun_path, path.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid() || bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(fd.get(), kBacklog) != 0) {
    return absl::ErrnoToStatus(errno, path);
  }
  return fd;
}

// Accepted sockets inherit the option, which saves a call for each of them.
absl::Status SetNoDelay(int fd) {
  const int on = 1;
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "TCP_NODELAY");
}

}  // namespace

LoopbackServer::LoopbackServer(Options options, uint16_t port, std::optional<TlsIdentity> identity)
    : options_(std::move(options)), port_(port), identity_(std::move(identity)) {}

absl::StatusOr<std::unique_ptr<LoopbackServer>> LoopbackServer::Start(Options options) {
  std::optional<TlsIdentity> identity;
  if (options.tls) {
    std::vector<std::string> names = options.extra_names;
    names.push_back(options.address);
    auto generated = TlsIdentity::Generate(names);
    if (!generated.ok()) return generated.status();
    identity = *std::move(generated);
  }
  const bool tcp = options.unix_path.empty();
  auto listener =
      tcp ? ListenTcp(options.address, options.port, kBacklog) : ListenUnix(options.unix_path);
  if (!listener.ok()) return listener.status();
  const auto port = tcp ? LocalPort(listener->get()) : uint16_t{0};
  if (!port.ok()) return port.status();
  // The constructor is private, so make_unique cannot reach it.
  std::unique_ptr<LoopbackServer> server(
      new LoopbackServer(std::move(options), *port, std::move(identity)));
  absl::Status launched = server->Launch(*std::move(listener));
  if (!launched.ok()) return launched;
  return server;
}

absl::Status LoopbackServer::Launch(UniqueFd listener) {
  absl::Status status;
  if (options_.unix_path.empty()) status = SetNoDelay(listener.get());
  if (!status.ok()) return status;
  loop_ = std::make_unique<HttpLoop>(std::move(listener), options_.max_connections,
                                     MakeStreamFactory(), &counters_);
  status = loop_->Open();
  if (!status.ok()) return status;
  thread_ = std::thread([loop = loop_.get()] {
    BlockAllSignals();
    loop->Run();
  });
  return absl::OkStatus();
}

HttpLoop::StreamFactory LoopbackServer::MakeStreamFactory() const {
  if (!identity_) return MakePlainStream;
  return [context = identity_->context()](UniqueFd socket) {
    return MakeTlsStream(std::move(socket), context);
  };
}

void LoopbackServer::Stop() {
  if (!thread_.joinable()) return;
  loop_->Wake();
  thread_.join();
}

std::string LoopbackServer::authority() const { return JoinHostPort(options_.address, port_); }

std::string LoopbackServer::Url(absl::string_view path) const {
  return absl::StrCat(options_.tls ? "https://" : "http://", authority(), path);
}

std::string LoopbackServer::certificate_pem() const {
  return identity_ ? identity_->certificate_pem() : "";
}

}  // namespace sockgate::testing
