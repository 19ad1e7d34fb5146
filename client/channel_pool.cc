#include "client/channel_pool.h"

#include <utility>

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;

// A channel on which these came back is of no more use.
bool Ends(Kind kind) { return kind == Kind::kBrokerGone || kind == Kind::kBadReply; }

// The broker gives this worker no more channels. Other limits pass by themselves.
bool HasNoMore(const ConnectError& error) {
  return error.kind == Kind::kLimited && error.reason == Reason::kChannels;
}

}  // namespace

std::unique_ptr<Channel> ChannelPool::Take(TimePoint give_up, ConnectError* error) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (idle_.empty()) {
    if (!full_.has_value()) {
      lock.unlock();
      std::unique_ptr<Channel> channel = Mint(error);
      if (channel != nullptr || !HasNoMore(*error)) return channel;
      lock.lock();
      if (lent_ == 0 && idle_.empty()) return nullptr;
      continue;
    }
    *error = *full_;
    ++waiting_;
    const std::cv_status status = given_back_.wait_until(lock, give_up);
    --waiting_;
    if (status == std::cv_status::timeout && idle_.empty()) return nullptr;
  }
  *error = ConnectError();
  std::unique_ptr<Channel> channel = std::move(idle_.back());
  idle_.pop_back();
  ++lent_;
  return channel;
}

void ChannelPool::GiveBack(std::unique_ptr<Channel> channel, Kind kind) {
  const bool owed = kind == Kind::kNoAnswer || channel->owed() > 0;
  if (owed && !Ends(kind)) channel->Abandon();
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool ends = Ends(kind) || owed || ended() != Kind::kNone;
  --lent_;
  if (!ends) idle_.push_back(std::move(channel));
  channel.reset();  // before another is minted in its place
  // The others are most likely the same broker's ends of nothing; the channel that mints will tell.
  if (kind == Kind::kBrokerGone) idle_.clear();
  if (waiting_ == 0) full_.reset();
  if (ends) {
    // The next one may be minted in its place, by whoever is first.
    full_.reset();
    given_back_.notify_all();
  } else {
    given_back_.notify_one();
  }
}

bool ChannelPool::wanted() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return waiting_ > 0;
}

Kind ChannelPool::CallFirst(const decltype(Request::body)& body, Reply* reply,
                            UniqueFd* descriptor) {
  const std::lock_guard<std::mutex> lock(first_mutex_);
  return CallFirstLocked(body, reply, descriptor);
}

Kind ChannelPool::CallFirstLocked(const decltype(Request::body)& body, Reply* reply,
                                  UniqueFd* descriptor) {
  if (ended() != Kind::kNone) return ended();
  const Kind kind = first_.Call(body, kPatience, reply, descriptor);
  if (Ends(kind)) End(kind);
  return kind;
}

void ChannelPool::End(Kind kind) {
  first_.Close();
  const std::lock_guard<std::mutex> lock(mutex_);
  ended_.store(kind, std::memory_order_release);
  idle_.clear();
  full_.reset();
  given_back_.notify_all();
}

std::unique_ptr<Channel> ChannelPool::Mint(ConnectError* error) {
  const std::lock_guard<std::mutex> first_lock(first_mutex_);
  {
    // Whoever was first may have found out.
    const std::lock_guard<std::mutex> lock(mutex_);
    if (full_.has_value()) {
      *error = *full_;
      return nullptr;
    }
  }
  Reply reply;
  UniqueFd minted;
  const Kind kind = CallFirstLocked(OpenChannelRequest(), &reply, &minted);
  *error = kind == Kind::kNone
               ? ConnectError::FromResult(std::get<OpenChannelReply>(reply.body).result)
               : ConnectError::Local(kind);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (error->ok()) {
    ++lent_;
    return std::make_unique<Channel>(std::move(minted));
  }
  if (HasNoMore(*error) && lent_ > 0) full_ = *error;
  return nullptr;
}

}  // namespace sockgate
