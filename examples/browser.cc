// A browser's split. The renderer has no network, no files and no broker: it asks the network process
// over a socket pair. That one is confined too, and has its sockets from the broker.
//
//   g++ -std=c++17 browser.cc -o browser $(pkg-config --cflags --libs sockgate-static libcurl)
//   ./browser fetch.toml http://example.com/
//
//   renderer ---- URL ---> network process ---- address ---> broker
//            <-- page ----                 <--- socket -----
#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <memory>
#include <sockgate/sockgate.hpp>
#include <string>

namespace {

using sockgate::UniqueFd;
using sockgate::launch::Worker;

constexpr size_t kMostUrlBytes = 2048;

size_t SendPage(char* data, size_t size, size_t count, void* renderer) {
  const ssize_t sent = send(*static_cast<int*>(renderer), data, size * count, MSG_NOSIGNAL);
  return sent < 0 ? 0 : static_cast<size_t>(sent);
}

std::unique_ptr<sockgate::BrokerClient> g_client;
std::unique_ptr<sockgate::launch::TrustStore> g_trust;

int PrepareNetwork(int channel) {
  g_client = *sockgate::BrokerClient::FromDescriptor(UniqueFd(channel));
  g_trust = *sockgate::launch::TrustStore::LoadSystem();
  if (!sockgate::ArmNameShim(g_client.get()).ok()) return 1;
  return curl_global_init(CURL_GLOBAL_DEFAULT);
}

// The renderer may have been taken over: what it asks for is judged by the policy and no further.
int RunNetwork(int renderer) {
  char url[kMostUrlBytes + 1];
  const ssize_t size = recv(renderer, url, kMostUrlBytes, 0);
  if (size <= 0) return 1;
  url[size] = '\0';
  sockgate::CurlAdapter adapter(g_client.get(), {});
  CURL* const easy = curl_easy_init();
  if (!adapter.Attach(easy).ok() || !g_trust->Attach(easy).ok()) return 1;
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &SendPage);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &renderer);
  const CURLcode code = curl_easy_perform(easy);
  if (code != CURLE_OK) std::fprintf(stderr, "%s\n", adapter.Explain(easy, code).c_str());
  adapter.Detach(easy);
  curl_easy_cleanup(easy);
  return code;
}

// "Renders": the page's letters, in capitals. All that it can do is on standard output.
int RunRenderer(int network, const std::string& url) {
  if (socket(AF_INET, SOCK_STREAM, 0) >= 0) return 1;  // it would have a network
  if (send(network, url.data(), url.size(), MSG_NOSIGNAL) < 0) return 1;
  char block[4096];
  for (ssize_t size; (size = recv(network, block, sizeof(block), 0)) > 0;) {
    std::transform(block, block + size, block, [](unsigned char c) { return std::toupper(c); });
    std::fwrite(block, 1, size, stdout);
  }
  return 0;
}

int Say(const absl::Status& status) {
  return std::fprintf(stderr, "browser: %s\n", status.ToString().c_str()), 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("usage: browser POLICY URL\n", stderr), 2;
  auto loaded = sockgate::LoadPolicyFile(argv[1]);
  if (!loaded.policy.has_value()) {
    return Say(absl::InvalidArgumentError(sockgate::FindingText(argv[1], loaded.findings[0])));
  }
  sockgate::BrokerOptions options;
  options.roles = std::move(loaded.policy->roles);
  options.resolver = std::move(loaded.policy->resolver);
  auto broker = sockgate::BrokerProcess::Start(std::move(options));
  if (!broker.ok()) return Say(broker.status());

  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return 1;
  UniqueFd network_end(ends[0]);
  UniqueFd renderer_end(ends[1]);
  sockgate::launch::WorkerOptions of_network;
  of_network.keep_descriptors = {network_end.get()};
  of_network.streams.out = sockgate::launch::Stream::kNull;
  const int renderer_number = network_end.get();
  auto network = Worker::Start(*broker->AddWorker("fetch"), of_network, PrepareNetwork,
                               [&](int) { return RunNetwork(renderer_number); });
  if (!network.ok()) return Say(network.status());
  network_end.Reset();  // or the renderer would wait for us

  sockgate::launch::WorkerOptions of_renderer;
  of_renderer.namespaces.network = sockgate::launch::Need::kIfPossible;
  auto renderer = Worker::Start(std::move(renderer_end), of_renderer, nullptr,
                                [&](int fd) { return RunRenderer(fd, argv[2]); });
  if (!renderer.ok()) return Say(renderer.status());
  const auto rendered = renderer->Wait();
  const auto fetched = network->Wait();
  if (!rendered.ok() || rendered->signaled || !fetched.ok() || fetched->signaled) return 1;
  return rendered->code_or_signal != 0 ? 1 : fetched->code_or_signal;
}
