#include "client/spare_sockets.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"

namespace sockgate {
namespace {

bool FitsSocket(const ConnectRequest& a, const ConnectRequest& b) {
  return a.mode == b.mode && a.transport == b.transport;
}

// Whether the broker may be at it for longer than whoever asks would wait.
bool TakesLonger(const Spare& spare, const ConnectRequest& request) {
  return spare.stage == Spare::Stage::kSent && request.mode == ConnectMode::kConnected &&
         spare.request.deadline_ms > request.deadline_ms;
}

}  // namespace

template <typename Known>
bool SpareSockets::IsFor(const Known& known, const AheadTarget& target) {
  if (!FitsSocket(known.request, target.request)) return false;
  if (target.name.empty())
    return known.name.empty() && known.request.endpoint == target.request.endpoint;
  return known.family == target.family &&
         known.request.endpoint.port() == target.request.endpoint.port() &&
         absl::EqualsIgnoreCase(known.name, target.name);
}

Spare* SpareSockets::Add(const AheadTarget& target, TimePoint now) {
  Spare* spare = Oldest(Stage::kNone);
  if (spare == nullptr) {
    if (slots_.size() == kMost) return nullptr;
    spare = &slots_.emplace_back();
    ++by_stage_[static_cast<size_t>(Stage::kNone)];
  }
  ++counts_.asked;
  SetStage(spare, target.name.empty() ? Stage::kQueued : Stage::kNamed, now);
  spare->ticket = 0;
  spare->order = ++last_order_;
  spare->request = target.request;
  spare->name.assign(target.name.data(), target.name.size());
  spare->family = target.family;
  return spare;
}

bool SpareSockets::IsUnwanted(const AheadTarget& target, TimePoint now) const {
  return std::any_of(unwanted_.begin(), unwanted_.end(),
                     [&](const Unwanted& one) { return now < one.until && IsFor(one, target); });
}

void SpareSockets::NoteUnwanted(const Spare& spare, TimePoint now) {
  Unwanted& one = unwanted_[next_unwanted_++ % unwanted_.size()];
  one.request = spare.request;
  one.name = spare.name;
  one.family = spare.family;
  one.until = now + kUnwantedFor;
}

void SpareSockets::Refuse() {
  ++counts_.asked;
  ++counts_.missed;
}

void SpareSockets::SetStage(Spare* spare, Stage stage, TimePoint now) {
  --by_stage_[static_cast<size_t>(spare->stage)];
  ++by_stage_[static_cast<size_t>(stage)];
  spare->stage = stage;
  spare->since = now;
}

Spare* SpareSockets::Find(const ConnectRequest& request, Stage stage) {
  if (Count(stage) == 0) return nullptr;
  Spare* oldest = nullptr;
  for (Spare& spare : slots_) {
    if (spare.stage != stage || spare.awaited || !FitsSocket(spare.request, request)) continue;
    if (oldest != nullptr && oldest->order < spare.order) continue;
    if (spare.request.endpoint == request.endpoint && !TakesLonger(spare, request)) oldest = &spare;
  }
  return oldest;
}

Spare* SpareSockets::Oldest(Stage stage) {
  if (Count(stage) == 0) return nullptr;
  Spare* oldest = nullptr;
  for (Spare& spare : slots_) {
    if (spare.stage != stage) continue;
    if (oldest == nullptr || spare.order < oldest->order) oldest = &spare;
  }
  return oldest;
}

Spare* SpareSockets::Sent(uint32_t id) {
  for (Spare& spare : slots_) {
    if (spare.stage == Stage::kSent && spare.id == id) return &spare;
  }
  return nullptr;
}

Spare* SpareSockets::Unclaimed(const AheadTarget& target) {
  Spare* oldest = nullptr;
  for (Spare& spare : slots_) {
    if (spare.stage == Stage::kNone || spare.awaited || spare.ticket != 0) continue;
    if (oldest != nullptr && oldest->order < spare.order) continue;
    if (IsFor(spare, target)) oldest = &spare;
  }
  return oldest;
}

size_t SpareSockets::CountUnclaimed(const AheadTarget& target) const {
  size_t count = 0;
  for (const Spare& spare : slots_) {
    if (spare.stage == Stage::kNone || spare.awaited || spare.ticket != 0) continue;
    if (IsFor(spare, target)) ++count;
  }
  return count;
}

Spare* SpareSockets::WithTicket(uint64_t ticket) {
  for (Spare& spare : slots_) {
    if (spare.stage != Stage::kNone && spare.ticket == ticket) return &spare;
  }
  return nullptr;
}

void SpareSockets::Use(Spare* spare, ConnectResult* result) {
  ++counts_.used;
  *result = std::move(spare->result);
  result->prepared = true;
  Remove(spare);
}

// Not by recv(2): what a server that speaks first has sent would hide that it has closed since.
bool SpareSockets::IsAlive(const Spare& spare) {
  pollfd entry = {spare.result.socket.get(), POLLRDHUP, 0};
  return poll(&entry, 1, 0) == 0;
}

void SpareSockets::Discard(Spare* spare) {
  ++counts_.closed;
  Close(spare);
}

// Of a handshake that goes on, and of a tracked connection, the broker has a duplicate.
void SpareSockets::Close(Spare* spare) {
  const bool shared = spare->result.tracked || spare->request.mode == ConnectMode::kInProgress;
  if (shared && spare->result.socket.valid()) shutdown(spare->result.socket.get(), SHUT_RDWR);
  Remove(spare);
}

void SpareSockets::Miss(Spare* spare) {
  ++counts_.missed;
  if (spare->awaited) {
    SetStage(spare, Stage::kLost, spare->since);
  } else {
    Remove(spare);
  }
}

void SpareSockets::Remove(Spare* spare) {
  spare->result = ConnectResult();
  spare->awaited = false;
  SetStage(spare, Stage::kNone, spare->since);
}

void SpareSockets::Expire(TimePoint now, std::chrono::milliseconds most_age) {
  for (Spare& spare : slots_) {
    if (spare.awaited || now - spare.since <= most_age) continue;
    if (spare.stage == Stage::kHere) {
      ++counts_.expired;
      NoteUnwanted(spare, now);
      Close(&spare);
    } else if (spare.stage == Stage::kNamed || spare.stage == Stage::kQueued) {
      Miss(&spare);
    }
  }
}

void SpareSockets::CloseHere() {
  for (Spare& spare : slots_) {
    if (spare.stage == Stage::kHere && !spare.awaited) Discard(&spare);
  }
}

void SpareSockets::CloseAll() {
  CloseHere();
  for (Spare& spare : slots_) {
    const bool ends = spare.stage == Stage::kNamed || spare.stage == Stage::kQueued ||
                      spare.stage == Stage::kSent;
    if (ends) Miss(&spare);
  }
}

void SpareSockets::Disown() {
  slots_.clear();
  by_stage_ = {};
}

}  // namespace sockgate
