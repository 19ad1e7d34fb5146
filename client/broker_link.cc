#include "client/broker_link.h"

#include <unistd.h>

#include <algorithm>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;
using Clock = std::chrono::steady_clock;

// Differs between workers that were started together.
uint32_t Seed() {
  const auto now = static_cast<uint64_t>(Clock::now().time_since_epoch().count());
  return static_cast<uint32_t>(now ^ (static_cast<uint64_t>(getpid()) << 16));
}

// `said` has version 0 where the broker speaks none of ours.
Kind Greet(BrokerContact* contact, HelloReply* said) {
  Reply reply;
  UniqueFd none;
  Hello hello;
  hello.capabilities = kCapabilityResolve;
  const Kind kind = contact->channels.CallFirst(hello, &reply, &none);
  if (kind != Kind::kNone) return kind;
  *said = std::get<HelloReply>(reply.body);
  contact->capabilities = said->capabilities;
  contact->max_outstanding = said->max_outstanding;
  return kind;
}

// It would fail the same way next time.
bool IsForGood(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsInvalidArgument(status);
}

}  // namespace

BrokerLink::BrokerLink(ReconnectBy reconnect_by)
    : reconnect_by_(std::move(reconnect_by)),
      reconnects_(reconnect_by_.possible()),
      backoff_(Seed()) {}

absl::Status BrokerLink::Open(UniqueFd channel) {
  contact_ = std::make_shared<BrokerContact>(std::move(channel), 1);
  HelloReply said;
  const Kind kind = Greet(contact_.get(), &said);
  if (kind != Kind::kNone) {
    return absl::UnavailableError(ConnectError::Local(kind).ToString());
  }
  if (said.version == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the broker speaks none of this library's protocol versions, ", kOldestVersion,
                     " to ", kNewestVersion));
  }
  capabilities_ = said.capabilities;
  return absl::OkStatus();
}

std::shared_ptr<BrokerContact> BrokerLink::Get(TimePoint give_up, ConnectError* error) {
  Lock lock(mutex_);
  while (contact_->channels.ended() != Kind::kNone) {
    NoteLoss();
    if (attempting_) {
      attempted_.wait(lock, [this] { return !attempting_; });
    } else if (!reconnects() || !MayAwaitNext(give_up)) {
      *error = ErrorNow(why_);
      return nullptr;
    } else if (Clock::now() < next_attempt_) {
      attempted_.wait_until(lock, next_attempt_);
    } else {
      Attempt(&lock);
    }
  }
  *error = ConnectError();
  return contact_;
}

std::shared_ptr<BrokerContact> BrokerLink::Current() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return contact_->channels.ended() == Kind::kNone ? contact_ : nullptr;
}

void BrokerLink::NoteLoss() {
  if (lost_number_ == contact_->number) return;
  lost_number_ = contact_->number;
  const TimePoint now = Clock::now();
  if (!lost_at_.has_value()) lost_at_ = now;
  why_ = contact_->channels.ended();
  if (why_ == Kind::kBadReply) next_attempt_ = now + Backoff::kLongest;
}

bool BrokerLink::MayAwaitNext(TimePoint give_up) const {
  if (next_attempt_ <= Clock::now()) return true;
  return next_attempt_ <= std::min(give_up, *lost_at_ + kRestartPatience);
}

void BrokerLink::Attempt(Lock* lock) {
  attempting_ = true;
  const uint32_t number = contact_->number + 1;
  Kind why = Kind::kNone;
  std::shared_ptr<BrokerContact> found;
  lock->unlock();
  {
    // Even if memory runs out, or the others would wait for ever.
    const absl::Cleanup attempted = [&] {
      lock->lock();
      attempting_ = false;
      attempted_.notify_all();
    };
    found = Dial(number, &why);
  }
  next_attempt_ = Clock::now() + (why == Kind::kBadReply ? Backoff::kLongest : backoff_.Next());
  if (found != nullptr) {
    capabilities_ = found->capabilities;
    contact_ = std::move(found);
  } else {
    why_ = why;
  }
}

std::shared_ptr<BrokerContact> BrokerLink::Dial(uint32_t number, Kind* why) {
  *why = Kind::kBrokerGone;
  absl::StatusOr<UniqueFd> channel = reconnect_by_.Channel(Clock::now() + ChannelPool::kPatience);
  if (!channel.ok()) {
    if (IsForGood(channel.status())) reconnects_ = false;
    if (absl::IsResourceExhausted(channel.status())) *why = Kind::kTableFull;
    return nullptr;
  }
  auto contact = std::make_shared<BrokerContact>(*std::move(channel), number);
  HelloReply said;
  const Kind kind = Greet(contact.get(), &said);
  if (kind == Kind::kNone && said.version != 0) {
    *why = Kind::kNone;
    return contact;
  }
  *why = kind == Kind::kNone ? Kind::kBadReply : kind;
  return nullptr;
}

void BrokerLink::NoteAnswer(BrokerContact* contact) {
  if (contact->answered.exchange(true, std::memory_order_relaxed)) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (contact != contact_.get()) return;
  backoff_.Reset();
  next_attempt_ = TimePoint::min();
  lost_at_.reset();
}

ConnectError BrokerLink::Gone() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return ErrorNow(Kind::kBrokerGone);
}

ConnectError BrokerLink::ErrorNow(Kind kind) const {
  ConnectError error = ConnectError::Local(kind);
  if (!reconnects()) return error;
  const auto left =
      next_attempt_ <= Clock::now()
          ? std::chrono::milliseconds(0)
          : std::chrono::ceil<std::chrono::milliseconds>(next_attempt_ - Clock::now());
  error.retry_after_ms = std::max<uint32_t>(1, static_cast<uint32_t>(left.count()));
  return error;
}

}  // namespace sockgate
