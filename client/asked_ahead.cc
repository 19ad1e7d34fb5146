#include "client/asked_ahead.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace sockgate {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// As long as a call at need would wait.
constexpr milliseconds kReplyGrace(2000);
constexpr milliseconds kLongestLookup = milliseconds(kMaxLookupMs) + kReplyGrace;

// Before a role that gave no channel is asked for one again.
constexpr milliseconds kNoChannelPause(1000);

milliseconds PatienceFor(const ConnectRequest& request) {
  return request.mode == ConnectMode::kInProgress ? ChannelPool::kPatience
                                                  : milliseconds(request.deadline_ms) + kReplyGrace;
}

// What a call that asked anew would be told too, if it were as late.
bool HoldsForCall(const ConnectError& error) {
  return error.kind == ConnectError::Kind::kDenied ||
         error.kind == ConnectError::Kind::kBadRequest ||
         error.kind == ConnectError::Kind::kNetwork;
}

}  // namespace

uint64_t AskedAhead::Add(const AheadTarget& target) {
  used_.store(true, std::memory_order_relaxed);
  Lock lock(mutex_);
  const TimePoint now = Clock::now();
  Refresh(now);
  Spare* spare = spares_.Unclaimed(target);
  if (spare == nullptr && !spares_.IsUnwanted(target, now)) spare = Want(target, now);
  if (spare == nullptr) return 0;
  const uint64_t ticket = spare->ticket = ++last_ticket_;
  SendQueued(&lock);
  return spares_.WithTicket(ticket) == nullptr ? 0 : ticket;
}

void AskedAhead::Release(uint64_t ticket) {
  const Lock lock(mutex_);
  if (Spare* spare = spares_.WithTicket(ticket)) spare->ticket = 0;
}

size_t AskedAhead::Keep(const AheadTarget& target, size_t count) {
  used_.store(true, std::memory_order_relaxed);
  Lock lock(mutex_);
  const TimePoint now = Clock::now();
  Refresh(now);
  size_t there = spares_.CountUnclaimed(target);
  while (there < count && Want(target, now) != nullptr) ++there;
  SendQueued(&lock);
  return spares_.CountUnclaimed(target);
}

bool AskedAhead::Take(const ConnectRequest& request, ConnectResult* result) {
  if (!used_.load(std::memory_order_relaxed)) return false;
  Lock lock(mutex_);
  Refresh(Clock::now());
  const bool taken = TakeHere(request, result) || TakeSent(&lock, request, result);
  SendQueued(&lock);
  return taken;
}

bool AskedAhead::TakeHere(const ConnectRequest& request, ConnectResult* result) {
  while (Spare* spare = spares_.Find(request, Stage::kHere)) {
    if (SpareSockets::IsAlive(*spare)) {
      spares_.Use(spare, result);
      return true;
    }
    spares_.Discard(spare);
  }
  return false;
}

bool AskedAhead::TakeSent(Lock* lock, const ConnectRequest& request, ConnectResult* result) {
  Spare* spare = spares_.Find(request, Stage::kSent);
  if (spare == nullptr) {
    // What has not been sent would come after what is asked for now.
    if (Spare* queued = spares_.Find(request, Stage::kQueued)) spares_.Miss(queued);
    return false;
  }
  spare->awaited = true;
  Await(lock, Clock::now() + PatienceFor(request),
        [spare] { return spare->stage != Stage::kSent; });
  spare->awaited = false;
  return HandOver(spare, result);
}

// Of one that a call has waited for.
bool AskedAhead::HandOver(Spare* spare, ConnectResult* result) {
  const ConnectError error = spare->result.error;
  switch (spare->stage) {
    case Stage::kHere:
      if (error.ok()) {
        spares_.Use(spare, result);
        return true;
      }
      spares_.Miss(spare);
      result->error = error;
      return HoldsForCall(error);
    case Stage::kSent:
      spares_.Miss(spare);
      result->error = ConnectError::Local(Kind::kNoAnswer);
      return true;
    default:
      spares_.Remove(spare);
      return false;
  }
}

bool AskedAhead::TakeLookup(absl::string_view name, NameFamily family, ResolveResult* result) {
  if (!used_.load(std::memory_order_relaxed)) return false;
  Lock lock(mutex_);
  Refresh(Clock::now());
  LookupAhead* lookup = lookups_.Find(name, family);
  // What has not been sent would come after what is asked for now.
  if (lookup == nullptr || lookup->stage == LookupAhead::Stage::kQueued) return false;
  ++lookup->awaited;
  Await(&lock, Clock::now() + kLongestLookup,
        [lookup] { return lookup->stage != LookupAhead::Stage::kSent; });
  --lookup->awaited;
  const bool here = lookup->stage == LookupAhead::Stage::kHere;
  const bool says = here && IsSaid(lookup->result.error);
  if (says) *result = lookup->result;
  if (!here || !lookup->result.error.ok()) LookupsAhead::Miss(lookup);
  SendQueued(&lock);
  return says;
}

bool AskedAhead::HasLookedUp(absl::string_view name) {
  if (!used_.load(std::memory_order_relaxed)) return false;
  const Lock lock(mutex_);
  Refresh(Clock::now());
  const LookupAhead* lookup = lookups_.Find(name, NameFamily::kAny);
  return lookup != nullptr && lookup->stage == LookupAhead::Stage::kHere;
}

void AskedAhead::Progress() {
  if (!used_.load(std::memory_order_relaxed)) return;
  Lock lock(mutex_);
  Refresh(Clock::now());
  Drain(&lock);
  SendQueued(&lock);
}

std::unique_ptr<Channel> AskedAhead::GiveUpChannel(const BrokerContact& contact) {
  if (!used_.load(std::memory_order_relaxed)) return nullptr;
  const Lock lock(mutex_);
  if (contact_.get() != &contact || !MayLeaveLine()) return nullptr;
  MissSent();
  return std::move(line_);
}

void AskedAhead::set_most_age(milliseconds age) {
  const Lock lock(mutex_);
  most_age_ = age;
}

AheadCounts AskedAhead::counts() const {
  const Lock lock(mutex_);
  return spares_.counts();
}

// Sockets that a broker opened which has gone go with it, since the next one may have other rules.
void AskedAhead::Refresh(TimePoint now) {
  if (contact_ != nullptr && contact_->channels.ended() != Kind::kNone) EndLine(Kind::kBrokerGone);
  spares_.Expire(now, most_age_);
  lookups_.Expire(now, most_age_);
}

Spare* AskedAhead::Want(const AheadTarget& target, TimePoint now) {
  Spare* spare = now < quiet_until_ ? nullptr : spares_.Add(target, now);
  if (spare == nullptr) {
    spares_.Refuse();
  } else if (!target.name.empty() && !FindAddress(spare, now)) {
    spares_.Miss(spare);
    spare = nullptr;
  }
  return spare;
}

bool AskedAhead::FindAddress(Spare* spare, TimePoint now) {
  LookupAhead* lookup = lookups_.Find(spare->name, spare->family);
  if (lookup == nullptr) return lookups_.Add(spare->name, spare->family, now) != nullptr;
  if (lookup->stage != LookupAhead::Stage::kHere) return true;
  return Aim(spare, lookup->result, now);
}

// False: there is no address.
bool AskedAhead::Aim(Spare* spare, const ResolveResult& found, TimePoint now) {
  const std::optional<IpAddress> first = FirstToTry(found);
  if (!first.has_value()) return false;
  spare->request.endpoint = Endpoint::Ip(*first, spare->request.endpoint.port());
  spares_.SetStage(spare, Stage::kQueued, now);
  return true;
}

template <typename Done>
void AskedAhead::Await(Lock* lock, TimePoint give_up, const Done& done) {
  ++awaiting_;
  while (!done() && line_ != nullptr && Clock::now() < give_up) {
    if (reading_) {
      changed_.wait_until(*lock, give_up);
    } else {
      Read(lock, Wait::kYes);
    }
  }
  --awaiting_;
  // The calls at need that stood back for this one.
  if (MayLeaveLine() && contact_->channels.wanted()) {
    MissSent();
    contact_->channels.GiveBack(std::move(line_), Kind::kNone);
  }
}

AskedAhead::Kind AskedAhead::Read(Lock* lock, Wait wait) {
  Reply reply;
  UniqueFd descriptor;
  reading_ = true;
  if (wait == Wait::kYes) lock->unlock();
  const Kind kind = line_->Next(wait, &reply, &descriptor);
  if (wait == Wait::kYes) lock->lock();
  reading_ = false;
  if (kind == Kind::kNone || kind == Kind::kTableFull) {
    Dispatch(kind, reply, std::move(descriptor));
  } else if (kind != Kind::kNoAnswer) {
    EndLine(kind);
  }
  changed_.notify_all();
  return kind;
}

void AskedAhead::Drain(Lock* lock) {
  while (line_ != nullptr && !reading_ && line_->owed() > 0) {
    const Kind kind = Read(lock, Wait::kNo);
    if (kind != Kind::kNone && kind != Kind::kTableFull) return;
  }
}

void AskedAhead::Dispatch(Kind kind, const Reply& reply, UniqueFd descriptor) {
  link_->NoteAnswer(contact_.get());
  LookupAhead* lookup = lookups_.Sent(reply.id);
  Spare* spare = lookup == nullptr ? spares_.Sent(reply.id) : nullptr;
  const bool fits = lookup != nullptr  ? std::holds_alternative<ResolveReply>(reply.body)
                    : spare != nullptr ? std::holds_alternative<ConnectReply>(reply.body)
                                       : line_->HasAsked(reply.id);
  if (!fits) {
    Channel::Drop(reply, &descriptor);
    EndLine(Kind::kBadReply);
  } else if (lookup != nullptr) {
    OnLookup(lookup, kind, reply);
  } else if (spare != nullptr) {
    OnConnect(spare, kind, reply, std::move(descriptor));
  } else {
    Channel::Drop(reply, &descriptor);
  }
}

void AskedAhead::OnConnect(Spare* spare, Kind kind, const Reply& reply, UniqueFd socket) {
  const TimePoint now = Clock::now();
  TakeAnswer(kind, reply, &spare->result);
  spare->result.socket = std::move(socket);
  const ConnectError& error = spare->result.error;
  if (error.kind == Kind::kLimited) quiet_until_ = now + milliseconds(error.retry_after_ms);
  if (error.ok() || spare->awaited) {
    spares_.SetStage(spare, Stage::kHere, now);
  } else {
    spares_.Miss(spare);
  }
}

void AskedAhead::OnLookup(LookupAhead* lookup, Kind kind, const Reply& reply) {
  const TimePoint now = Clock::now();
  TakeAnswer(kind, reply, &lookup->result);
  const ResolveResult& result = lookup->result;
  if (link_->reconnects()) names_->Note(lookup->name, result.addresses, contact_->number);
  if (result.error.kind == Kind::kLimited) {
    quiet_until_ = now + milliseconds(result.error.retry_after_ms);
  }
  lookup->since = now;
  lookup->stage = LookupAhead::Stage::kHere;
  spares_.ForEach(Stage::kNamed, [&](Spare* spare) {
    if (lookups_.Find(spare->name, spare->family) != lookup) return;
    if (!Aim(spare, result, now)) spares_.Miss(spare);
  });
  if (!result.error.ok() && lookup->awaited == 0) LookupsAhead::Miss(lookup);
}

// Where this role or this broker gives none, what was to be sent is forgotten.
bool AskedAhead::OpenLine(Lock* lock) {
  if (line_ != nullptr) return true;
  if (opening_) return false;  // that thread sends what is queued
  opening_ = true;
  lock->unlock();
  std::shared_ptr<BrokerContact> contact = link_->Current();
  std::unique_ptr<Channel> channel;
  ConnectError error;
  if (contact != nullptr && !contact->channels.wanted()) {
    channel = contact->channels.Take(TimePoint(), &error);
  }
  lock->lock();
  opening_ = false;
  if (contact_ != contact) spares_.CloseHere();
  contact_ = std::move(contact);
  line_ = std::move(channel);
  if (line_ != nullptr) return true;
  MissQueued();
  if (error.kind == Kind::kLimited) quiet_until_ = Clock::now() + kNoChannelPause;
  return false;
}

void AskedAhead::SendQueued(Lock* lock) {
  if (spares_.Count(Stage::kNamed) > 0) Drain(lock);
  if (AnyQueued() && OpenLine(lock)) {
    const uint32_t most = std::min<uint32_t>(kMostOwed, contact_->max_outstanding);
    if (line_->owed() >= most) Drain(lock);
    while (line_ != nullptr && line_->owed() < most && SendOne()) {
    }
  }
  ReleaseLine();
}

// False: there is nothing to send, or no room.
bool AskedAhead::SendOne() {
  LookupAhead* lookup = lookups_.Queued();
  Spare* spare = lookup == nullptr ? spares_.Oldest(Stage::kQueued) : nullptr;
  if (lookup == nullptr && spare == nullptr) return false;
  const Kind kind = lookup != nullptr
                        ? line_->Start(ResolveRequest{lookup->family, lookup->name}, &lookup->id)
                        : line_->Start(spare->request, &spare->id);
  if (kind == Kind::kNone && lookup != nullptr) lookup->stage = LookupAhead::Stage::kSent;
  if (kind == Kind::kNone && spare != nullptr) {
    spares_.SetStage(spare, Stage::kSent, spare->since);
  }
  if (kind == Kind::kBadRequest)
    spare != nullptr ? spares_.Miss(spare) : LookupsAhead::Miss(lookup);
  // Whoever reads will find the same end.
  if (kind == Kind::kBrokerGone && !reading_) EndLine(kind);
  return kind == Kind::kNone || kind == Kind::kBadRequest;
}

void AskedAhead::MissQueued() {
  spares_.ForEach(Stage::kQueued, [this](Spare* spare) { spares_.Miss(spare); });
  spares_.ForEach(Stage::kNamed, [this](Spare* spare) { spares_.Miss(spare); });
  while (LookupAhead* lookup = lookups_.Queued()) LookupsAhead::Miss(lookup);
}

// The replies still come, to whoever has the channel then, and are dropped there.
void AskedAhead::MissSent() {
  spares_.ForEach(Stage::kSent, [this](Spare* spare) { spares_.Miss(spare); });
  spares_.ForEach(Stage::kNamed, [this](Spare* spare) { spares_.Miss(spare); });
  lookups_.MissSent();
}

void AskedAhead::EndLine(Kind kind) {
  spares_.CloseAll();
  lookups_.MissAll();
  if (reading_) return;  // who reads will find the same end
  if (line_ != nullptr) contact_->channels.GiveBack(std::move(line_), kind);
  contact_.reset();
}

void AskedAhead::ReleaseLine() {
  if (!MayLeaveLine() || line_->owed() > 0 || AnyQueued()) return;
  // A broker that has answered twice would leave some behind.
  MissSent();
  contact_->channels.GiveBack(std::move(line_), Kind::kNone);
}

}  // namespace sockgate
