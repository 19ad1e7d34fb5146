#include "tests/bench/load/load_work.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "proto/endpoint.h"
#include "tests/bench/load/raw_worker.h"
#include "tests/support/test_namespace.h"

namespace sockgate::bench {
namespace {

// Requests that a flood has under way at a time; more than the kernel has room for replies.
constexpr size_t kPipelined = 32;
constexpr char kDenied[] = "192.0.2.66";
constexpr uint16_t kHolePorts = 64;

ConnectRequest ConnectTo(const Endpoint& endpoint) {
  ConnectRequest request;
  request.purpose = Purpose::kDirect;
  request.deadline_ms = kMaxDeadlineMs;
  request.endpoint = endpoint;
  return request;
}

bool SayReady(int control) { return send(control, "", 1, MSG_NOSIGNAL) == 1; }

std::optional<std::vector<RawWorker>> OpenChannels(const CrowdPlan& plan) {
  std::vector<RawWorker> channels;
  auto first = RawWorker::FromPath(plan.path);
  if (!first.has_value()) return std::nullopt;
  channels.push_back(*std::move(first));
  while (channels.size() < plan.channels) {
    auto next = channels.front().Mint();
    if (!next.has_value()) return std::nullopt;
    channels.push_back(*std::move(next));
  }
  return channels;
}

// The broker answers the last request, which is denied, when it has begun all others.
bool HasBegun(RawWorker* channel) {
  if (!channel->Send(ConnectTo(Endpoint::Ip(*IpAddress::Parse(kDenied), 443)))) return false;
  const auto answer = channel->Receive();
  return answer.has_value() && answer->id == channel->last_id();
}

// Many ports, so that one pair of addresses has local ports enough.
bool BeginHandshakes(std::vector<RawWorker>* channels) {
  const IpAddress hole = *IpAddress::Parse(testing::kBlackHoleV4);
  uint16_t next = 0;
  for (RawWorker& channel : *channels) {
    for (size_t i = 0; i < LoadCrowd::kPendingOfChannel; ++i) {
      const auto port = static_cast<uint16_t>(1 + next++ % kHolePorts);
      if (!channel.Send(ConnectTo(Endpoint::Ip(hole, port)))) return false;
    }
    if (!HasBegun(&channel)) return false;
  }
  return true;
}

void HoldChannels(const CrowdPlan& plan, int control) {
  auto channels = OpenChannels(plan);
  if (!channels.has_value()) return;
  if (plan.deed == Deed::kPending && !BeginHandshakes(&*channels)) return;
  if (!SayReady(control)) return;
  while (true) pause();
}

// Sends a batch of requests and reads their replies; false when the channel has ended.
bool AskBatch(RawWorker* worker, const CrowdPlan& plan, size_t* turn, std::atomic<uint64_t>* done) {
  const Endpoint denied = Endpoint::Ip(*IpAddress::Parse(kDenied), 443);
  for (size_t i = 0; i < kPipelined; ++i) {
    const bool connect = plan.deed == Deed::kConnecting;
    const Endpoint& to = connect ? plan.targets[(*turn)++ % plan.targets.size()].endpoint : denied;
    if (!worker->Send(ConnectTo(to))) return false;
  }
  for (size_t i = 0; i < kPipelined; ++i) {
    auto answer = worker->Receive();
    if (!answer.has_value()) return false;
    if (answer->descriptor.valid()) CloseAtOnce(std::move(answer->descriptor));
    ++*done;
  }
  return true;
}

void FloodWithRequests(const CrowdPlan& plan, int control, std::atomic<uint64_t>* done) {
  auto worker = RawWorker::FromPath(plan.path);
  if (!worker.has_value() || !SayReady(control)) return;
  raise(SIGSTOP);
  for (size_t turn = 0; AskBatch(&*worker, plan, &turn, done);) {
  }
}

// A broker that is out of something turns it away now and then; it comes again.
void FloodWithGarbage(const CrowdPlan& plan, int control, std::atomic<uint64_t>* done) {
  static constexpr std::array<uint8_t, 3> kGarbage = {0xff, 0, 0xff};
  if (!RawWorker::FromPath(plan.path).has_value() || !SayReady(control)) return;
  raise(SIGSTOP);
  while (true) {
    auto worker = RawWorker::FromPath(plan.path);
    if (!worker.has_value()) continue;
    worker->SendBytes(kGarbage);
    worker->Receive();
    ++*done;
  }
}

}  // namespace

void DoLoadWork(const CrowdPlan& plan, int control, std::atomic<uint64_t>* done) {
  switch (plan.deed) {
    case Deed::kPending:
    case Deed::kIdle:
      return HoldChannels(plan, control);
    case Deed::kDenied:
    case Deed::kConnecting:
      return FloodWithRequests(plan, control, done);
    case Deed::kGarbage:
      return FloodWithGarbage(plan, control, done);
  }
}

}  // namespace sockgate::bench
