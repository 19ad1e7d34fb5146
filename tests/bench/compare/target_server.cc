#include "tests/bench/compare/target_server.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/support/http_server.h"
#include "tests/support/tcp_socket.h"
#include "tests/support/tls_identity.h"

namespace sockgate::bench {
namespace {

constexpr size_t kPlaces = 8;  // addresses
constexpr size_t kFirstHost = 2;
constexpr std::chrono::milliseconds kProbe{200};

std::string Address(size_t place) { return absl::StrCat("127.0.0.", kFirstHost + place); }

std::vector<std::string> Addresses() {
  std::vector<std::string> addresses;
  for (size_t i = 0; i < kPlaces; ++i) addresses.push_back(Address(i));
  return addresses;
}

bool WriteTrust(const std::string& path, const std::string& certificate) {
  std::ofstream file(path);
  file << std::ifstream(curl_version_info(CURLVERSION_NOW)->cainfo).rdbuf() << certificate;
  file.close();
  return !file.fail();
}

// One process would do for the small pages; two, so that no fetch waits for a long one.
constexpr char kNginxConfig[] = R"(
daemon off;
worker_processes 2;
worker_rlimit_nofile 16384;
error_log stderr warn;
events { worker_connections 16000; }
http {
  access_log off;
  sendfile on;
  client_header_timeout 1h;
  default_type text/plain;
  ssl_certificate cert.pem;
  ssl_certificate_key key.pem;
)";

std::string NginxConfig(const TargetServer::Options& options, uint16_t port, uint16_t tls_port) {
  std::string text = options.root ? "user nobody nogroup;" : "user root root;";
  absl::StrAppend(&text, kNginxConfig);
  for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    absl::StrAppend(&text, "  ", kind, "_temp_path ", options.folder, "/", kind, ";\n");
  }
  absl::StrAppend(&text, "  server {\n    listen ", port, " backlog=4096;\n    listen ", tls_port,
                  " ssl backlog=4096;\n    root ", options.folder,
                  "/pages;\n    location = /hello { return 200 \"hello from the other side of the "
                  "broker\\n\"; }\n  }\n}\npid ",
                  options.folder, "/nginx.pid;\n");
  return text;
}

// Sends its two ports, and waits for its parent to end.
void ServeOwn(int control, const std::string& ca_file) {
  testing::LoopbackServer::Options options;
  options.address = "0.0.0.0";
  const auto plain = testing::LoopbackServer::Start(options);
  options.tls = true;
  options.extra_names = Addresses();
  const auto tls = testing::LoopbackServer::Start(options);
  if (!plain.ok() || !tls.ok() || !WriteTrust(ca_file, (*tls)->certificate_pem())) return;
  const std::array<uint16_t, 2> ports = {(*plain)->port(), (*tls)->port()};
  if (send(control, ports.data(), sizeof(ports), MSG_NOSIGNAL) != sizeof(ports)) return;
  while (true) pause();
}

}  // namespace

uint16_t FreePort() {
  const auto socket = testing::BindTcp("127.0.0.1", 0);
  return socket.ok() ? testing::LocalPort(socket->get()).value_or(0) : 0;
}

absl::StatusOr<TargetServer> TargetServer::Start(const Options& options) {
  TargetServer server;
  server.ca_file_ = options.folder + "/ca.pem";
  absl::Status status = absl::NotFoundError("");
  if (options.may_nginx) status = server.StartNginx(options);
  if (absl::IsNotFound(status)) status = server.StartOwn(options);
  if (!status.ok()) return status;
  return server;
}

absl::Status TargetServer::StartNginx(const Options& options) {
  const auto identity = testing::TlsIdentity::Generate(Addresses());
  if (!identity.ok()) return identity.status();
  std::filesystem::create_directory(options.folder + "/pages");
  std::ofstream(options.folder + "/cert.pem") << identity->certificate_pem();
  std::ofstream(options.folder + "/key.pem") << identity->private_key_pem();
  std::ofstream(options.folder + "/pages/big").close();
  std::filesystem::resize_file(options.folder + "/pages/big", options.big_bytes);
  if (!WriteTrust(ca_file_, identity->certificate_pem())) {
    return absl::UnavailableError("cannot write certificates");
  }
  port_ = FreePort();
  tls_port_ = FreePort();
  std::ofstream(options.folder + "/nginx.conf") << NginxConfig(options, port_, tls_port_);
  HelperCommand command;
  command.words = {"nginx", "-p", options.folder, "-e", "stderr", "-c", "nginx.conf"};
  command.package = "nginx-light";
  command.log = options.folder + "/nginx.log";
  command.ready = [this](pid_t /*pid*/) {
    return testing::TryConnect("127.0.0.1", port_, kProbe).error == 0;
  };
  auto nginx = HelperProgram::Start(command);
  if (!nginx.ok()) return nginx.status();
  nginx_ = *std::move(nginx);
  name_ = "nginx, 2 workers";
  big_path_ = "/big";
  return absl::OkStatus();
}

absl::Status TargetServer::StartOwn(const Options& options) {
  auto process = ChildProcess::Start([&](int control) { ServeOwn(control, ca_file_); });
  if (!process.ok()) return process.status();
  std::array<uint16_t, 2> ports;
  if (recv(process->control(), ports.data(), sizeof(ports), 0) != sizeof(ports)) {
    return absl::UnavailableError("the server did not start");
  }
  port_ = ports[0];
  tls_port_ = ports[1];
  own_ = *std::move(process);
  name_ = "sockgate's test server, one thread for each port";
  big_path_ = absl::StrCat("/bytes/", options.big_bytes);
  return absl::OkStatus();
}

std::string TargetServer::UrlAt(Page page, size_t place) const {
  const bool tls = page == Page::kSmallTls;
  return absl::StrCat(tls ? "https://" : "http://", Address(place), ":", tls ? tls_port_ : port_,
                      page == Page::kBig ? big_path_ : "/hello");
}

std::vector<std::string> TargetServer::Urls(bool one_address) const {
  std::vector<std::string> urls;
  for (const Page page : {Page::kSmall, Page::kSmallTls, Page::kBig}) {
    for (size_t i = 0; i < kPlaces; ++i) urls.push_back(UrlAt(page, one_address ? 0 : i));
  }
  return urls;
}

uint32_t TargetServer::UrlOf(Page page, size_t round) {
  return static_cast<uint32_t>(static_cast<size_t>(page) * kPlaces + round % kPlaces);
}

}  // namespace sockgate::bench
