#include "broker/listener.h"

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "broker/confined_check.h"
#include "broker/peer_check.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

constexpr std::chrono::milliseconds kRest(100);
constexpr std::chrono::seconds kBetweenRefusals(1);

// Cookies of the two deadlines.
constexpr uint64_t kRested = 0;
constexpr uint64_t kTell = 1;

// Whether the same users get the same role.
bool SameDoor(const ListenAt& a, const ListenAt& b) {
  return a.role == b.role && a.mode == b.mode && a.owner == b.owner && a.group == b.group;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Create(const ListenAt& at, RoleSnapshot role,
                                                           EventLoop* loop, WorkerHost* host,
                                                           UniqueFd inherited) {
  auto socket = inherited.valid() ? ListeningSocket::Adopt(at.path, std::move(inherited))
                                  : ListeningSocket::Bind(at);
  if (!socket.ok()) return socket.status();
  auto listener =
      std::unique_ptr<Listener>(new Listener(at, *std::move(socket), std::move(role), loop, host));
  listener->watch_ = loop->Watch(listener->socket_.get(), EPOLLIN, listener.get(), 0);
  if (!listener->watch_.valid())
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot listen on ", at.path, ": epoll_ctl"));
  return listener;
}

Listener::~Listener() {
  TellRefused();
  loop_->Unwatch(&watch_);
  loop_->Cancel(&rest_);
  loop_->Cancel(&tell_);
}

void Listener::Change(const ListenAt& at, RoleSnapshot role) {
  // By the name of the role that did not admit them.
  TellRefused();
  if (!SameDoor(at, at_)) TurnAwayWhoWaits();
  at_ = at;
  role_ = std::move(role);
}

void Listener::Restore(const ListenAt& granted) {
  // What could be given can be taken back.
  socket_.Grant(at_).IgnoreError();
  if (!SameDoor(granted, at_)) TurnAwayWhoWaits();
}

void Listener::TurnAwayWhoWaits() {
  stale_ = ListeningSocket::kMaxWaiting;
  AcceptStale();
}

void Listener::AcceptStale() {
  while (stale_ > 0 && AcceptOne()) {
  }
}

void Listener::OnEvent(uint64_t /*cookie*/, uint32_t /*epoll_events*/) {
  if (stale_ > 0) {
    AcceptStale();
  } else {
    AcceptOne();
  }
}

bool Listener::AcceptOne() {
  UniqueFd channel(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!channel.valid()) {
    if (errno == EAGAIN) stale_ = 0;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) Rest();
    return false;
  }
  Serve(std::move(channel));
  return true;
}

void Listener::Serve(UniqueFd channel) {
  PeerIdentity identity = IdentityOf(channel.get());
  const Peer peer = {identity.pid, identity.uid};
  if (stale_ > 0) {
    --stale_;
    host_->RefuseWorker(role_, peer, "reload");
  } else if (!Admits(role_->peers, identity)) {
    Refuse(peer, "peer");
  } else if (const Reason limit = host_->WhyNoWorker(*role_); limit != Reason::kNone) {
    Refuse(peer, Word(limit));
  } else {
    PrepareBrokerEnd(channel.get());
    // A descriptor that is kept for each worker, so only where there is a use for it.
    ConfinedCheck confined = role_->require_confined
                                 ? ConfinedCheck::OfPeer(channel.get(), peer.pid)
                                 : ConfinedCheck::Never();
    host_->AddWorkerByPath(std::move(channel), role_, std::move(identity), std::move(confined));
  }
}

void Listener::Refuse(const Peer& peer, absl::string_view why) {
  if (tell_.valid()) {
    ++refused_;
    last_refused_ = peer;
    last_why_ = why;
    return;
  }
  host_->RefuseWorker(role_, peer, why);
  tell_ = loop_->SetDeadline(EventLoop::Now() + kBetweenRefusals, this, kTell);
}

void Listener::TellRefused() {
  if (refused_ == 0) return;
  host_->RefuseWorker(role_, last_refused_, absl::StrCat(last_why_, ", ", refused_, " more"));
  refused_ = 0;
}

void Listener::Rest() {
  loop_->Change(watch_, 0);
  loop_->Cancel(&rest_);
  rest_ = loop_->SetDeadline(EventLoop::Now() + kRest, this, kRested);
}

void Listener::OnDeadline(uint64_t cookie) {
  if (cookie == kRested) {
    loop_->Change(watch_, EPOLLIN);
    return;
  }
  tell_ = EventLoop::Id();
  if (refused_ == 0) return;
  TellRefused();
  tell_ = loop_->SetDeadline(EventLoop::Now() + kBetweenRefusals, this, kTell);
}

}  // namespace sockgate
