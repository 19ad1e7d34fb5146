#include "tests/fuzz/session/crowd.h"

#include <algorithm>

#include "tests/support/clock_shift.h"

namespace sockgate::fuzz {
namespace {

constexpr size_t kMostWorkers = 6;

}  // namespace

void Crowd::AddWorker() {
  if (workers_ == kMostWorkers) return;
  channels_.emplace_back(world_->AddWorker(), workers_++, /*greeted=*/false);
}

void Crowd::EndWorker(size_t worker) {
  for (FuzzChannel& channel : channels_) {
    if (channel.worker() == worker) channel.Close();
  }
}

FuzzChannel* Crowd::Pick(uint8_t number) {
  return channels_.empty() ? nullptr : &channels_[number % channels_.size()];
}

FuzzChannel* Crowd::Healthy() {
  const auto found = std::find_if(channels_.begin(), channels_.end(),
                                  [](const FuzzChannel& one) { return one.healthy(); });
  return found == channels_.end() ? nullptr : &*found;
}

size_t Crowd::OpenChannelsOf(size_t worker) const {
  return static_cast<size_t>(std::count_if(
      channels_.begin(), channels_.end(),
      [worker](const FuzzChannel& one) { return one.worker() == worker && one.open(); }));
}

bool Crowd::Read(FuzzChannel* channel) {
  return channel->Read([this, worker = channel->worker()](UniqueFd end) {
    channels_.emplace_back(std::move(end), worker, /*greeted=*/true);
  });
}

size_t Crowd::ReadAll() {
  size_t read = 0;
  for (size_t i = 0; i < channels_.size(); ++i) {
    while (Read(&channels_[i])) ++read;
  }
  return read;
}

void Crowd::Advance(std::chrono::milliseconds by) {
  for (FuzzChannel& channel : channels_) channel.NoteTime();
  testing::AdvanceSteadyClock(by);
}

}  // namespace sockgate::fuzz
