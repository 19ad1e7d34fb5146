#include "tests/bench/compare/proxy_programs.h"

#include <chrono>
#include <cstdint>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/bench/compare/target_server.h"
#include "tests/support/tcp_socket.h"

namespace sockgate::bench {
namespace {

constexpr std::chrono::milliseconds kProbe{200};

struct Recipe {
  const char* package;
  const char* scheme;
  std::vector<std::string> words;
  // In both: FOLDER, PORT and USER stand for what they say.
  const char* config;
};

Recipe Microsocks() {
  return {"microsocks", "socks5h", {"microsocks", "-i", "127.0.0.1", "-p", "PORT"}, ""};
}

Recipe Dante() {
  return {"dante-server", "socks5h", {"danted", "-f", "FOLDER/config", "-p", "FOLDER/pid"}, R"(
logoutput: FOLDER/requests
internal: 127.0.0.1 port = PORT
external: lo
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: USER
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 log: connect }
)"};
}

// It waits for the disk after each line that it logs, and would be measured by that.
Recipe Tinyproxy() {
  return {"tinyproxy-bin", "http", {"tinyproxy", "-d", "-c", "FOLDER/config"}, R"(
Listen 127.0.0.1
Port PORT
Timeout 600
MaxClients 12000
LogFile "FOLDER/requests"
LogLevel Error
)"};
}

Recipe Squid() {
  return {"squid", "http", {"squid", "-N", "-f", "FOLDER/config"}, R"(
http_port 127.0.0.1:PORT
http_access allow all
cache deny all
cache_effective_user USER
client_persistent_connections off
server_persistent_connections off
access_log stdio:FOLDER/requests
cache_log FOLDER/log
pid_filename none
coredump_dir none
pinger_enable off
netdb_filename none
dns_nameservers 127.0.0.1
visible_hostname compare
max_filedescriptors 16384
shutdown_lifetime 0
)"};
}

Recipe RecipeOf(ProxyKind kind) {
  switch (kind) {
    case ProxyKind::kMicrosocks:
      return Microsocks();
    case ProxyKind::kDante:
      return Dante();
    case ProxyKind::kTinyproxy:
      return Tinyproxy();
    case ProxyKind::kSquid:
      return Squid();
  }
  return {};
}

}  // namespace

absl::StatusOr<ProxyProgram> StartProxy(ProxyKind kind, const ProxyPlace& place) {
  const Recipe recipe = RecipeOf(kind);
  const uint16_t port = FreePort();
  const auto filled = [&](const std::string& text) {
    return absl::StrReplaceAll(text, {{"FOLDER", place.folder},
                                      {"PORT", absl::StrCat(port)},
                                      {"USER", place.root ? "nobody" : "root"}});
  };
  std::ofstream(place.folder + "/config") << filled(recipe.config);
  HelperCommand command;
  for (const std::string& word : recipe.words) command.words.push_back(filled(word));
  command.package = recipe.package;
  command.log = place.folder + "/log";
  command.ready = [port](pid_t /*pid*/) {
    return testing::TryConnect("127.0.0.1", port, kProbe).error == 0;
  };
  auto program = HelperProgram::Start(command);
  if (!program.ok()) return program.status();
  return ProxyProgram{*std::move(program), absl::StrCat(recipe.scheme, "://127.0.0.1:", port)};
}

}  // namespace sockgate::bench
