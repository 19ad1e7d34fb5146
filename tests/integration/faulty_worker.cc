#include "tests/integration/faulty_worker.h"

#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/check.h"
#include "tests/integration/confined.h"
#include "tests/support/process_stats.h"

namespace sockgate::testing {

using std::chrono::milliseconds;

FaultyWorker::FaultyWorker(BrokerProcess& broker, launch::WorkerOptions options,
                           const std::function<void()>& prepare, const Piece& piece) {
  auto channel = broker.AddWorker("test");
  SOCKGATE_CHECK(channel.ok());
  const int writer = text_.writer.get();
  options.keep_descriptors.push_back(writer);
  worker_ = launch::Worker::Start(
      *std::move(channel), options,
      [&](int fd) {
        prepare();
        return PrepareWorker(fd);
      },
      [&](int fd) {
        WriteAll(writer, piece(fd));
        return 0;
      });
  SOCKGATE_CHECK(worker_.ok());
  text_.writer.Reset();
}

std::string FaultyWorker::Text() {
  std::string text = ReadAll(text_.reader.get());
  const auto ended = worker_->Wait();
  SOCKGATE_CHECK(ended.ok());
  if (ended->signaled) absl::StrAppend(&text, "[signal ", ended->code_or_signal, "]");
  return text;
}

size_t FdsAtRest(pid_t pid) {
  size_t count = 0;
  for (int unchanged = 0; unchanged < 20; ++unchanged) {
    const size_t now = OpenFdCount(pid).value_or(0);
    if (now != count) unchanged = 0;
    count = now;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return count;
}

size_t SettledFds(pid_t pid, size_t expected) {
  size_t count = 0;
  for (int i = 0; i < 500; ++i) {
    count = OpenFdCount(pid).value_or(0);
    if (count == expected) break;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return count;
}

}  // namespace sockgate::testing
