// Fetches many URLs at once, by several threads of a confined worker with a curl_multi each.
//
//   g++ -std=c++17 crawler.cc -o crawler $(pkg-config --cflags --libs sockgate-static libcurl)
//   ./crawler fetch.toml 4 http://example.com/ http://example.org/ https://example.net/
#include <curl/curl.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sockgate/sockgate.hpp>
#include <string>
#include <thread>
#include <vector>

namespace {

std::unique_ptr<sockgate::BrokerClient> g_client;
std::unique_ptr<sockgate::launch::TrustStore> g_trust;

// In the worker, before it is confined: whatever needs a file.
int Prepare(int channel) {
  g_client = *sockgate::BrokerClient::FromDescriptor(sockgate::UniqueFd(channel));
  g_trust = *sockgate::launch::TrustStore::LoadSystem();
  if (!sockgate::ArmNameShim(g_client.get()).ok()) return 1;
  return curl_global_init(CURL_GLOBAL_DEFAULT);
}

size_t CountBody(char*, size_t size, size_t count, void* total) {
  *static_cast<size_t*>(total) += size * count;
  return size * count;
}

struct Page {
  std::string url;
  size_t bytes = 0;
};

CURL* Begin(sockgate::CurlAdapter& adapter, Page& page) {
  CURL* const easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, page.url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CountBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &page.bytes);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &page);
  if (!adapter.Attach(easy).ok() || !g_trust->Attach(easy).ok()) std::abort();
  return easy;
}

void Report(sockgate::CurlAdapter& adapter, CURL* easy, CURLcode code) {
  Page* page;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &page);
  std::printf("%s: %zu bytes, %s\n", page->url.c_str(), page->bytes,
              code == CURLE_OK ? "done" : adapter.Explain(easy, code).c_str());
}

// One thread's share. The adapter outlives the multi handle, which has connections of it.
void Crawl(std::vector<Page> pages) {
  sockgate::CurlAdapterOptions options;
  options.mode = sockgate::ConnectMode::kInProgress;  // no transfer waits for another's handshake
  sockgate::CurlAdapter adapter(g_client.get(), options);
  CURLM* const multi = curl_multi_init();
  for (Page& page : pages) curl_multi_add_handle(multi, Begin(adapter, page));
  for (int running = 1; running > 0;) {
    curl_multi_perform(multi, &running);
    int left;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      CURL* const easy = message->easy_handle;
      Report(adapter, easy, message->data.result);
      curl_multi_remove_handle(multi, easy);
      adapter.Detach(easy);
      curl_easy_cleanup(easy);
    }
    curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
  }
  curl_multi_cleanup(multi);
}

}  // namespace

int main(int argc, char** argv) {
  const size_t thread_count = argc > 3 ? std::strtoul(argv[2], nullptr, 10) : 0;
  if (thread_count == 0) return std::fputs("usage: crawler POLICY THREADS URL...\n", stderr), 2;
  auto loaded = sockgate::LoadPolicyFile(argv[1]);
  if (!loaded.policy.has_value()) {
    return std::fprintf(stderr, "%s\n", sockgate::FindingText(argv[1], loaded.findings[0]).c_str()),
           1;
  }
  sockgate::BrokerOptions options;
  options.roles = std::move(loaded.policy->roles);
  options.resolver = std::move(loaded.policy->resolver);
  auto broker = sockgate::BrokerProcess::Start(std::move(options));
  auto worker = sockgate::launch::Worker::Start(*broker->AddWorker("fetch"), {}, Prepare, [&](int) {
    std::vector<std::vector<Page>> shares(thread_count);
    for (int i = 3; i < argc; ++i) shares[i % thread_count].push_back({argv[i]});
    std::vector<std::thread> threads;
    for (auto& share : shares) threads.emplace_back(Crawl, std::move(share));
    for (std::thread& thread : threads) thread.join();
    return 0;
  });
  if (!worker.ok()) return std::fprintf(stderr, "%s\n", worker.status().ToString().c_str()), 1;
  const auto ended = worker->Wait();
  return ended.ok() && !ended->signaled ? ended->code_or_signal : 1;
}
