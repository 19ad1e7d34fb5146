#include "tests/bench/fetch_sides.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <fstream>
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
void ServeHttp(int control, size_t addresses, const std::string& certificates) {
  std::ofstream trusted(certificates, std::ios::app);
  std::vector<std::unique_ptr<testing::LoopbackServer>> servers;
  std::string urls;
  for (size_t i = 0; i < addresses; ++i) {
    testing::LoopbackServer::Options options;
    options.address = absl::StrCat("127.0.0.", kFirstHost + i);
    options.tls = !certificates.empty();
    auto server = testing::LoopbackServer::Start(std::move(options));
    if (!server.ok()) return;
    absl::StrAppend(&urls, (*server)->Url("/hello"), "\n");
    trusted << (*server)->certificate_pem();
    servers.push_back(*std::move(server));
  }
  trusted.close();
  if (send(control, urls.data(), urls.size(), MSG_NOSIGNAL) < 0) return;
  while (true) pause();
}

int PrepareCurl() {
  tzset();
  return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : 1;
}

bool EnterNetwork(const std::string& path) {
  if (path.empty()) return true;
  const UniqueFd network(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return network.valid() && setns(network.get(), CLONE_NEWNET) == 0;
}

// What a worker makes before it is confined.
struct Prepared {
  std::unique_ptr<BrokerClient> client;
  std::unique_ptr<launch::TrustStore> trust;
};

absl::Status Prepare(int channel, const ConfinedWay& way, Prepared* prepared) {
  auto client = BrokerClient::FromDescriptor(UniqueFd(channel));
  if (!client.ok()) return client.status();
  prepared->client = *std::move(client);
  if (!way.ca_file.empty()) {
    auto trust = launch::TrustStore::Load(way.ca_file, way.trust);
    if (!trust.ok()) return trust.status();
    prepared->trust = *std::move(trust);
  }
  return way.shim ? ArmNameShim(prepared->client.get()) : absl::OkStatus();
}

int RunConfined(int control, const Prepared& prepared, const std::vector<std::string>& urls,
                const ConfinedWay& way) {
  CurlAdapterOptions options;
  options.mode = way.mode;
  CurlAdapter adapter(prepared.client.get(), std::move(options));
  FetchBy by;
  by.adapter = &adapter;
  by.ahead = way.ahead;
  by.prepared = way.prepared;
  by.trust = prepared.trust.get();
  FetchLoop(urls, by).Serve(control);
  DisarmNameShim();
  return 0;
}

}  // namespace

absl::StatusOr<FetchServer> FetchServer::Start(size_t addresses, const std::string& certificates) {
  auto process =
      ChildProcess::Start([&](int control) { ServeHttp(control, addresses, certificates); });
  if (!process.ok()) return process.status();
  std::array<char, kMaxUrlBytes> text;
  const ssize_t size = recv(process->control(), text.data(), text.size(), 0);
  if (size <= 0) return absl::UnavailableError("the server did not start");
  const absl::string_view lines(text.data(), static_cast<size_t>(size));
  std::vector<std::string> urls = absl::StrSplit(lines, '\n', absl::SkipEmpty());
  return FetchServer(*std::move(process), std::move(urls));
}

absl::StatusOr<FetchSide> FetchSide::Plain(const std::vector<std::string>& urls,
                                           const PlainWay& way) {
  FetchBy by;
  by.ca_file = way.ca_file;
  by.no_ca_folder = way.no_ca_folder;
  by.proxy = way.proxy;
  auto process = ChildProcess::Start([&](int control) {
    if (EnterNetwork(way.network) && PrepareCurl() == 0) FetchLoop(urls, by).Serve(control);
  });
  if (!process.ok()) return process.status();
  return FetchSide(way.name, *std::move(process));
}

absl::StatusOr<FetchSide> FetchSide::Confined(const std::vector<std::string>& urls,
                                              BenchBroker* broker, const ConfinedWay& way) {
  auto channel = broker->AddWorker();
  if (!channel.ok()) return channel.status();
  return Confined(urls, *std::move(channel), broker->pid(), way);
}

absl::StatusOr<FetchSide> FetchSide::Confined(const std::vector<std::string>& urls,
                                              UniqueFd channel, pid_t broker,
                                              const ConfinedWay& way) {
  auto pair = MakeControlPair();
  if (!pair.ok()) return pair.status();
  launch::WorkerOptions options;
  const int control = pair->child.get();
  options.keep_descriptors = {control};
  Prepared prepared;  // the worker's, made in the worker
  const auto prepare = [&](int worker_end) {
    const absl::Status status = Prepare(worker_end, way, &prepared);
    if (!status.ok()) std::fprintf(stderr, "worker: %s\n", status.ToString().c_str());
    return status.ok() ? PrepareCurl() : 1;
  };
  const auto run = [&](int /*channel*/) { return RunConfined(control, prepared, urls, way); };
  auto worker = launch::Worker::Start(std::move(channel), options, prepare, run);
  if (!worker.ok()) return worker.status();
  return FetchSide(way.name, *std::move(worker), std::move(pair->parent), broker);
}

absl::StatusOr<double> FetchSide::Perform(const FetchOrder& order) const {
  const auto answer = Ask(order);
  if (!answer.ok()) return answer.status();
  if (answer->failures != 0) {
    return absl::UnavailableError(
        absl::StrCat(name_, ": ", answer->failures, " of ", order.count, " fetches failed"));
  }
  return static_cast<double>(answer->elapsed_ns) / 1e9;
}

absl::StatusOr<FetchAnswer> FetchSide::Ask(const FetchOrder& order) const {
  FetchAnswer answer;
  if (send(control_, &order, sizeof(order), MSG_NOSIGNAL) != sizeof(order) ||
      recv(control_, &answer, sizeof(answer), 0) != sizeof(answer)) {
    return absl::UnavailableError(absl::StrCat(name_, ": the fetching process does not answer"));
  }
  return answer;
}

}  // namespace sockgate::bench
