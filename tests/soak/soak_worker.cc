#include "tests/soak/soak_worker.h"

#include <poll.h>

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/bench/accept_sink.h"
#include "tests/bench/load/raw_worker.h"

namespace sockgate::soak {
namespace {

using bench::RawWorker;

constexpr size_t kMostAtOnce = 16;
constexpr size_t kMostChannels = 4;
constexpr unsigned kNames = 300;

class SoakWork {
 public:
  SoakWork(const SoakPlan& plan, unsigned seed, SoakSlot* slot)
      : plan_(plan), slot_(slot), random_(seed) {}

  void DoOnce() {
    if (channels_.empty()) {
      Come();
    } else if (!Act(&channels_[Below(channels_.size())])) {
      // A channel that is lost takes the others along: the next one is a new worker's.
      channels_.clear();
    }
  }

 private:
  unsigned Below(size_t bound) { return static_cast<unsigned>(random_() % bound); }

  void Come() {
    auto worker = RawWorker::FromPath(plan_.path);
    if (worker.has_value()) {
      channels_.push_back(*std::move(worker));
    } else {
      poll(nullptr, 0, 10);
    }
  }

  bool Act(RawWorker* channel) {
    const unsigned what = Below(1000);
    if (what < 5) return SendGarbage(channel);
    if (what < 10) return false;
    if (what < 25) return OpenChannel(channel);
    return AskBatch(channel, 1 + Below(kMostAtOnce));
  }

  bool SendGarbage(RawWorker* channel) {
    std::array<uint8_t, 24> bytes;
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
    channel->SendBytes(absl::MakeConstSpan(bytes).first(1 + Below(bytes.size())));
    return channel->Receive().has_value();
  }

  bool OpenChannel(RawWorker* channel) {
    if (channels_.size() == kMostChannels) return true;
    auto minted = channel->Mint();
    if (!minted.has_value()) return false;
    channels_.push_back(*std::move(minted));
    return true;
  }

  bool AskBatch(RawWorker* channel, size_t count) {
    std::deque<Kind> asked;  // by id, from `first` on
    const uint32_t first = channel->last_id() + 1;
    for (size_t i = 0; i < count; ++i) {
      const Kind kind = Below(10) == 0 ? Kind::kLookup : Kind::kConnect;
      slot_->Ask(kind);
      if (!(kind == Kind::kLookup ? AskName(channel) : AskSocket(channel))) return false;
      asked.push_back(kind);
    }
    for (size_t i = 0; i < count; ++i) {
      auto answer = channel->Receive();
      if (!answer.has_value() || answer->id < first || answer->id - first >= count) return false;
      slot_->Tell(asked[answer->id - first], answer->result.outcome);
      if (answer->descriptor.valid()) bench::CloseAtOnce(std::move(answer->descriptor));
    }
    return true;
  }

  // One in sixteen to where nobody may go, and one to no port at all.
  bool AskSocket(RawWorker* channel) {
    ConnectRequest request;
    request.mode = Below(2) == 0 ? ConnectMode::kConnected : ConnectMode::kInProgress;
    request.purpose = Purpose::kDirect;
    request.deadline_ms = 10'000;
    request.endpoint = plan_.targets[Below(plan_.targets.size())];
    const unsigned what = Below(16);
    if (what == 0) request.endpoint = Endpoint::Ip(*IpAddress::Parse("192.0.2.66"), 443);
    if (what == 1) request.endpoint = Endpoint::Ip(request.endpoint.ip(), 0);
    return channel->Send(request);
  }

  bool AskName(RawWorker* channel) {
    const unsigned what = Below(16);
    const std::string name = what == 0 ? "denied.example"
                             : what == 1
                                 ? "not a name"
                                 : absl::StrCat(2 + Below(8), "-", Below(kNames), ".bench.test");
    ResolveRequest request;
    request.name = name;
    return channel->Send(request);
  }

  const SoakPlan& plan_;
  SoakSlot* const slot_;
  std::mt19937 random_;
  std::deque<RawWorker> channels_;
};

}  // namespace

void WorkForSoak(const SoakPlan& plan, unsigned seed, SoakSlot* slot) {
  SoakWork work(plan, seed, slot);
  while (true) work.DoOnce();
}

}  // namespace sockgate::soak
