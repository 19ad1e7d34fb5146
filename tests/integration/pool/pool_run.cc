#include "tests/integration/pool/pool_run.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/pool/frame.h"
#include "client/pool/transfer_codec.h"
#include "proto/check.h"
#include "tests/support/process_stats.h"

namespace sockgate::testing {
namespace {

constexpr int kMostDescriptors = 64;

bool IsUnixStream(int descriptor) {
  int type = 0;
  socklen_t size = sizeof(type);
  if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return false;
  sockaddr_storage address = {};
  size = sizeof(address);
  return type == SOCK_STREAM &&
         getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
         address.ss_family == AF_UNIX;
}

// To the launcher, and to libcurl's own pair, which does not mind.
void Say(const std::string& bytes) {
  for (int descriptor = 3; descriptor < kMostDescriptors; ++descriptor) {
    if (!IsUnixStream(descriptor)) continue;
    static_cast<void>(send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL) + 1);
  }
}

std::string FrameOf(uint8_t type, TransferId id, const std::string& payload) {
  std::string frame;
  const auto put = [&](uint64_t value, int size) {
    for (int i = 0; i < size; ++i) frame.push_back(static_cast<char>(value >> (8 * i)));
  };
  put(payload.size(), 4);
  put(type, 4);
  put(id, 8);
  return frame + payload;
}

std::string FrameOf(FrameType type, TransferId id, const std::string& payload) {
  return FrameOf(static_cast<uint8_t>(type), id, payload);
}

std::string LongLength() {
  std::string frame = FrameOf(FrameType::kDone, 1, "x");
  frame[3] = '\x7f';
  return frame;
}

[[noreturn]] void Hang() {
  while (true) {
    const timespec long_time = {1000, 0};
    nanosleep(&long_time, nullptr);
  }
}

[[noreturn]] void ShutAndHang() {
  for (int descriptor = 3; descriptor < kMostDescriptors; ++descriptor) {
    if (IsUnixStream(descriptor)) shutdown(descriptor, SHUT_RDWR);
  }
  Hang();
}

const std::map<std::string, std::function<void(TransferId)>>& Deeds() {
  static const auto* deeds = new std::map<std::string, std::function<void(TransferId)>>{
      {"trap", [](TransferId) { __builtin_trap(); }},
      {"call", [](TransferId) { syscall(SYS_getppid); }},
      {"exit", [](TransferId) { _exit(7); }},
      {"hang", [](TransferId) { Hang(); }},
      {"shut", [](TransferId) { ShutAndHang(); }},
      {"type", [](TransferId id) { Say(FrameOf(77, id, "x")); }},
      {"order", [](TransferId id) { Say(FrameOf(FrameType::kOrder, id, "x")); }},
      {"length", [](TransferId) { Say(LongLength()); }},
      {"noise", [](TransferId) { Say(std::string(100000, 'n')); }},
      {"foreign", [](TransferId id) { Say(FrameOf(FrameType::kBody, id + 100000, "x")); }},
      {"headless", [](TransferId id) { Say(FrameOf(FrameType::kBody, id, "x")); }},
      {"heads",
       [](TransferId id) {
         const std::string head = FrameOf(FrameType::kHead, id, EncodeHead({200, ""}));
         Say(head + head);
       }},
      {"result", [](TransferId id) { Say(FrameOf(FrameType::kDone, id, "no result")); }},
      {"cancelled",
       [](TransferId id) {
         TransferResult result;
         result.fate = Fate::kCancelled;
         Say(FrameOf(FrameType::kDone, id, EncodeResult(result)));
       }},
      {"large",
       [](TransferId id) {
         Say(FrameOf(FrameType::kHead, id, EncodeHead({200, ""})) +
             FrameOf(FrameType::kBody, id, std::string(11, 'x')));
       }},
  };
  return *deeds;
}

}  // namespace

launch::WorkerPool::Options PoolOptions(BrokerProcess& broker, size_t workers, size_t jobs,
                                        int* channels) {
  launch::WorkerPool::Options options;
  options.workers = workers;
  options.jobs = jobs;
  options.channel = [&broker, channels] {
    if (channels != nullptr) ++*channels;
    return broker.AddWorker("test");
  };
  options.on_begin = Misbehave;
  return options;
}

PoolRun::PoolRun(launch::WorkerPool::Options options) {
  auto pool = launch::WorkerPool::Start(std::move(options), Callbacks());
  SOCKGATE_CHECK(pool.ok());
  pool_ = *std::move(pool);
}

launch::WorkerPool::Callbacks PoolRun::Callbacks() {
  launch::WorkerPool::Callbacks callbacks;
  callbacks.on_head = [this](TransferId id, const ResponseHead& head) {
    Fetched& fetched = fetched_[id];
    EXPECT_EQ(fetched.results, 0);
    fetched.head = head;
    ++fetched.heads;
  };
  callbacks.on_body = [this](TransferId id, absl::string_view piece) {
    Fetched& fetched = fetched_[id];
    EXPECT_EQ(fetched.results, 0);
    EXPECT_GT(fetched.heads, fetched.restarts - 1);
    if (keep_bodies) absl::StrAppend(&fetched.body, piece);
    if (on_body) on_body(id, piece);
  };
  callbacks.on_restart = [this](TransferId id) {
    ++fetched_[id].restarts;
    fetched_[id].body.clear();
  };
  callbacks.on_done = [this](const TransferResult& result) {
    Fetched& fetched = fetched_[result.id];
    EXPECT_EQ(++fetched.results, 1);
    fetched.result = result;
    if (on_done) on_done(result);
  };
  return callbacks;
}

TransferId PoolRun::Add(Transfer transfer) {
  const auto id = pool().Add(std::move(transfer));
  SOCKGATE_CHECK(id.ok());
  return *id;
}

TransferId PoolRun::Add(const std::string& url) {
  Transfer transfer;
  transfer.url = url;
  return Add(std::move(transfer));
}

bool PoolRun::RunUntil(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds() && std::chrono::steady_clock::now() < until) {
    if (!pool().Poll(std::chrono::milliseconds(100)).ok()) break;
  }
  return holds();
}

pid_t NurseryPid() {
  const std::vector<pid_t> children = ChildrenOf(getpid());
  SOCKGATE_CHECK(!children.empty());
  return *std::max_element(children.begin(), children.end());
}

void Misbehave(CURL* easy, TransferId id) {
  const char* url = nullptr;
  curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
  const std::string text = url == nullptr ? "" : url;
  const size_t at = text.find("?do=");
  if (at == std::string::npos) return;
  const auto found = Deeds().find(text.substr(at + 4));
  if (found != Deeds().end()) found->second(id);
}

}  // namespace sockgate::testing
