#include "tests/bench/fetch_sides.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/broker_client.h"
#include "client/curl_adapter.h"
#include "client/name_shim.h"
#include "tests/support/http_server.h"

namespace sockgate::bench {
namespace {

constexpr size_t kFirstHost = 2;  // of 127.0.0.0/24
constexpr size_t kMaxUrlBytes = 4096;

// Starts the servers, sends their URLs, one a line, and waits for its parent to end.
void ServeHttp(int control, size_t addresses) {
  std::vector<std::unique_ptr<testing::LoopbackServer>> servers;
  std::string urls;
  for (size_t i = 0; i < addresses; ++i) {
    testing::LoopbackServer::Options options;
    options.address = absl::StrCat("127.0.0.", kFirstHost + i);
    auto server = testing::LoopbackServer::Start(std::move(options));
    if (!server.ok()) return;
    absl::StrAppend(&urls, (*server)->Url("/hello"), "\n");
    servers.push_back(*std::move(server));
  }
  if (send(control, urls.data(), urls.size(), MSG_NOSIGNAL) < 0) return;
  while (true) pause();
}

int PrepareCurl() {
  tzset();
  return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : 1;
}

// Prepares before confinement. Null when something does not work, which it says.
std::unique_ptr<BrokerClient> MakeClient(int channel, const ConfinedWay& way) {
  auto client = BrokerClient::FromDescriptor(UniqueFd(channel));
  if (!client.ok()) {
    std::fprintf(stderr, "worker: %s\n", client.status().ToString().c_str());
    return nullptr;
  }
  const absl::Status armed = way.shim ? ArmNameShim(client->get()) : absl::OkStatus();
  if (armed.ok()) return *std::move(client);
  std::fprintf(stderr, "worker: %s\n", armed.ToString().c_str());
  return nullptr;
}

int RunConfined(int control, BrokerClient* client, const std::vector<std::string>& urls,
                const ConfinedWay& way) {
  CurlAdapterOptions options;
  options.mode = way.mode;
  CurlAdapter adapter(client, std::move(options));
  FetchLoop(urls, {&adapter, way.ahead}).Serve(control);
  DisarmNameShim();
  return 0;
}

}  // namespace

absl::StatusOr<FetchServer> FetchServer::Start(size_t addresses) {
  auto process = ChildProcess::Start([addresses](int control) { ServeHttp(control, addresses); });
  if (!process.ok()) return process.status();
  std::array<char, kMaxUrlBytes> text;
  const ssize_t size = recv(process->control(), text.data(), text.size(), 0);
  if (size <= 0) return absl::UnavailableError("the server did not start");
  const absl::string_view lines(text.data(), static_cast<size_t>(size));
  std::vector<std::string> urls = absl::StrSplit(lines, '\n', absl::SkipEmpty());
  return FetchServer(*std::move(process), std::move(urls));
}

absl::StatusOr<FetchSide> FetchSide::Plain(const std::vector<std::string>& urls) {
  auto process = ChildProcess::Start([&urls](int control) {
    if (PrepareCurl() == 0) FetchLoop(urls, {}).Serve(control);
  });
  if (!process.ok()) return process.status();
  return FetchSide("plain libcurl", *std::move(process));
}

absl::StatusOr<FetchSide> FetchSide::Confined(const std::vector<std::string>& urls,
                                              BenchBroker* broker, const ConfinedWay& way) {
  auto pair = MakeControlPair();
  if (!pair.ok()) return pair.status();
  auto channel = broker->AddWorker();
  if (!channel.ok()) return channel.status();
  launch::WorkerOptions options;
  const int control = pair->child.get();
  options.keep_descriptors = {control};
  std::unique_ptr<BrokerClient> client;  // the worker's, made in the worker
  const auto prepare = [&](int worker_end) {
    client = MakeClient(worker_end, way);
    return client == nullptr ? 1 : PrepareCurl();
  };
  const auto run = [&](int /*channel*/) { return RunConfined(control, client.get(), urls, way); };
  auto worker = launch::Worker::Start(*std::move(channel), options, prepare, run);
  if (!worker.ok()) return worker.status();
  return FetchSide(way.name, *std::move(worker), std::move(pair->parent), broker->pid());
}

absl::StatusOr<double> FetchSide::Perform(const FetchOrder& order) const {
  FetchAnswer answer;
  if (send(control_, &order, sizeof(order), MSG_NOSIGNAL) != sizeof(order) ||
      recv(control_, &answer, sizeof(answer), 0) != sizeof(answer)) {
    return absl::UnavailableError(absl::StrCat(name_, ": the fetching process does not answer"));
  }
  if (answer.failures != 0) {
    return absl::UnavailableError(
        absl::StrCat(name_, ": ", answer.failures, " of ", order.count, " fetches failed"));
  }
  return static_cast<double>(answer.elapsed_ns) / 1e9;
}

}  // namespace sockgate::bench
