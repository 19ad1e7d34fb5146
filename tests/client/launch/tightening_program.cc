// A program as Worker::Exec expects it: loads what it needs, tightens itself, works on its channel.
// Its report is one packet: "ok", or what was not as it should be.

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "client/launch/confine.h"
#include "client/launch/worker_options.h"

namespace {

using sockgate::launch::Confine;
using sockgate::launch::ConnectAnswersInProgress;
using sockgate::launch::FetcherProfile;

bool FailsWith(int result, int error) { return result == -1 && errno == error; }

// What the corridor of ProgramProfile must and must not allow.
std::string BeforeTightening() {
  if (!ConnectAnswersInProgress()) return "connect reaches the kernel at start";
  if (!FailsWith(socket(AF_INET, SOCK_STREAM, 0), EACCES)) return "socket at start";
  if (!FailsWith(open("written-by-program", O_WRONLY | O_CREAT, 0600), EPERM)) return "creating";
  const int certificates = open("/etc/ssl/openssl.cnf", O_RDONLY | O_CLOEXEC);
  if (certificates < 0 && errno != ENOENT) return "reading configuration";
  if (certificates >= 0) close(certificates);
  tzset();
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return "curl_global_init";
  return "ok";
}

std::string AfterTightening() {
  if (!ConnectAnswersInProgress()) return "connect reaches the kernel";
  if (!FailsWith(socket(AF_INET, SOCK_STREAM, 0), EACCES)) return "socket";
  if (!FailsWith(open("/dev/null", O_RDONLY), EACCES)) return "open";
  int value = 0;
  std::thread([&] { value = 1; }).join();
  return value == 1 ? "ok" : "thread";
}

std::string Work() {
  if (std::string early = BeforeTightening(); early != "ok") return early;
  const auto in_force = Confine(sockgate::launch::Confinement());
  if (!in_force.ok()) return in_force.status().ToString();
  if (!in_force->undumpable) return "dumpable";
  return AfterTightening();
}

}  // namespace

int main() {
  const char* variable = std::getenv(sockgate::kChannelVariable);
  if (variable == nullptr) return 1;
  const int channel = static_cast<int>(std::strtol(variable, nullptr, 10));
  const std::string report = Work();
  send(channel, report.data(), report.size(), 0);
  // Past a sanitizer's leak check, which would fork and trace.
  _exit(report == "ok" ? 0 : 2);
}
