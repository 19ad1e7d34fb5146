#include "tests/integration/names/names_worker.h"

#include <curl/curl.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/curl_adapter.h"
#include "client/name_shim.h"
#include "proto/check.h"

namespace sockgate::testing {
namespace {

// Longer than the tests wait for a handshake that can succeed.
constexpr std::chrono::seconds kConnectDeadline(10);

UniqueFd MustAdd(BrokerProcess& broker, const std::string& role) {
  auto channel = broker.AddWorker(role);
  SOCKGATE_CHECK(channel.ok());
  return *std::move(channel);
}

// Before the filter, as a program would: the shim reads a file when it is armed.
int Prepare(int channel, std::unique_ptr<BrokerClient>* client) {
  auto made = BrokerClient::FromDescriptor(UniqueFd(channel));
  if (!made.ok() || !ArmNameShim(made->get()).ok()) return 1;
  *client = *std::move(made);
  tzset();
  return curl_global_init(CURL_GLOBAL_DEFAULT);
}

}  // namespace

NamesWorker::NamesWorker(BrokerProcess& broker, const std::string& role, Piece piece)
    : NamesWorker(MustAdd(broker, role), std::move(piece)) {}

NamesWorker::NamesWorker(UniqueFd channel, Piece piece) {
  launch::WorkerOptions options;
  const int text = text_.writer.get();
  const int said = said_.writer.get();
  const int told = told_.reader.get();
  options.keep_descriptors = {text, said, told};
  // Lives in the child, which ends by _exit.
  auto client = std::make_shared<std::unique_ptr<BrokerClient>>();
  worker_ = launch::Worker::Start(
      std::move(channel), options, [&](int fd) { return Prepare(fd, client.get()); },
      [&](int /*fd*/) {
        WriteAll(text, piece(Inside(client->get(), said, told)));
        return 0;
      });
  text_.writer.Reset();
  said_.writer.Reset();
}

void NamesWorker::AwaitPause() {
  char byte;
  SOCKGATE_CHECK(read(said_.reader.get(), &byte, 1) == 1);
}

void NamesWorker::Resume() { WriteAll(told_.writer.get(), "."); }

std::string NamesWorker::Text() {
  if (!worker_.ok()) return worker_.status().ToString();
  std::string text = ReadAll(text_.reader.get());
  const auto status = worker_->Wait();
  if (!status.ok()) return status.status().ToString();
  if (status->signaled) return absl::StrCat(text, "[signal ", status->code_or_signal, "]");
  if (status->code_or_signal != 0) return absl::StrCat(text, "[exit ", status->code_or_signal, "]");
  return text;
}

std::string Fetch(BrokerClient& client, ConnectMode mode, const std::string& url,
                  const TransferOptions& options) {
  CurlAdapter adapter(&client, {mode, kConnectDeadline, nullptr});
  const Ended ended = Perform(adapter, url, options);
  return absl::StrCat(ended.ToString(), "; ", ended.explanation);
}

std::string FetchInWorker(BrokerProcess& broker, ConnectMode mode, const std::string& url,
                          const TransferOptions& options) {
  return NamesWorker(broker,
                     [&](const NamesWorker::Inside& inside) {
                       return Fetch(inside.client(), mode, url, options);
                     })
      .Text();
}

}  // namespace sockgate::testing
