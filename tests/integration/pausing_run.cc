#include "tests/integration/pausing_run.h"

#include <curl/curl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/launch/channel_source.h"
#include "client/launch/confine.h"
#include "client/name_shim.h"
#include "proto/check.h"

namespace sockgate::testing {
namespace {

using Work = std::function<void(BrokerClient& client)>;

// Before the filter, as a program would.
void PrepareFor(BrokerClient& client) {
  SOCKGATE_CHECK(ArmNameShim(&client).ok());
  tzset();
  SOCKGATE_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

// How it ended if that was not well.
std::string RunByPath(const std::string& path, bool confine, const Work& work) {
  auto client = BrokerClient::FromPath(path);
  if (!client.ok()) return client.status().ToString();
  PrepareFor(**client);
  if (confine) SOCKGATE_CHECK(launch::Confine(launch::FetcherProfile()).ok());
  work(**client);
  return "";
}

// This process is the launcher.
std::string RunBySource(const std::string& path, const std::vector<int>& keep, const Work& work) {
  auto source = launch::ChannelSource::Make(path);
  if (!source.ok()) return source.status().ToString();
  auto channel = source->Connect();
  if (!channel.ok()) return channel.status().ToString();
  UniqueFd workers = source->TakeWorkerEnd();
  launch::WorkerOptions options;
  options.keep_descriptors = keep;
  options.channel_source = workers.get();
  // Lives in the worker, which ends by _exit.
  std::unique_ptr<BrokerClient> client;
  auto worker = launch::Worker::Start(
      *std::move(channel), options,
      [&](int fd) {
        client = *BrokerClient::FromDescriptor(
            UniqueFd(fd), ReconnectBy::Source(UniqueFd(options.channel_source)));
        PrepareFor(*client);
        return 0;
      },
      [&](int) {
        work(*client);
        return 0;
      });
  if (!worker.ok()) return worker.status().ToString();
  workers.Reset();
  const auto ended = source->Wait(*worker);
  if (!ended.ok()) return ended.status().ToString();
  if (ended->signaled) return absl::StrCat("[signal ", ended->code_or_signal, "]");
  return ended->code_or_signal == 0 ? "" : absl::StrCat("[exit ", ended->code_or_signal, "]");
}

}  // namespace

void PrintTo(Comes comes, std::ostream* out) {
  constexpr const char* kWords[] = {"ByPath", "BySource", "ByPathOnlyOnce"};
  *out << kWords[static_cast<int>(comes)];
}

PausingRun::PausingRun(const std::string& path, Comes comes, const Piece& piece) {
  pid_ = fork();
  SOCKGATE_CHECK(pid_ >= 0);
  if (pid_ > 0) {
    text_.writer.Reset();
    said_.writer.Reset();
    return;
  }
  SOCKGATE_CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
  const int text = text_.writer.get();
  const int said = said_.writer.get();
  const int told = told_.reader.get();
  const Work work = [&](BrokerClient& client) {
    WriteAll(text, piece(Inside(&client, said, told)));
  };
  WriteAll(text, comes == Comes::kBySource
                     ? RunBySource(path, {text, said, told}, work)
                     : RunByPath(path, comes == Comes::kByPathOnlyOnce, work));
  _exit(0);
}

PausingRun::~PausingRun() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void PausingRun::AwaitPause() {
  char byte;
  SOCKGATE_CHECK(read(said_.reader.get(), &byte, 1) == 1);
}

void PausingRun::Resume() { WriteAll(told_.writer.get(), "."); }

std::string PausingRun::Text() { return ReadAll(text_.reader.get()); }

}  // namespace sockgate::testing
