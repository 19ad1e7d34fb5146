#include "broker/connector.h"

#include <cerrno>
#include <chrono>
#include <utility>

namespace sockgate {
namespace {

constexpr uint32_t kNone = WorkerRecord::kNoAttempt;

Started Connected(UniqueFd socket) {
  Started started;
  started.progress = Progress::kConnected;
  started.socket = std::move(socket);
  return started;
}

Started Failed(int error, UniqueFd socket = UniqueFd()) {
  Started started;
  started.error = error;
  started.socket = std::move(socket);
  return started;
}

}  // namespace

Connector::~Connector() {
  for (Pending& entry : pending_) {
    loop_->Unwatch(&entry.watch);
    loop_->Cancel(&entry.deadline);
  }
}

Started Connector::Start(const Attempt& attempt, const SocketOptions& options) {
  const ConnectRequest& request = attempt.request;
  UniqueFd socket;
  int error = net_->Open(request.endpoint, request.transport, options, &socket);
  if (error == 0) error = net_->Connect(socket.get(), request.endpoint);
  if (error == 0) return Connected(std::move(socket));
  if (error != EINPROGRESS) return Failed(error);
  if (request.mode == ConnectMode::kConnected) {
    return StartConnected(attempt, std::move(socket));
  }
  return StartInProgress(attempt, std::move(socket));
}

Started Connector::StartConnected(const Attempt& attempt, UniqueFd socket) {
  // On loopback the handshake has ended by the time connect() is back, although it says
  // EINPROGRESS.
  const int error = net_->Connect(socket.get(), attempt.request.endpoint);
  if (error == 0) return Connected(std::move(socket));
  if (error != EALREADY) return Failed(error);
  return Pend(attempt, std::move(socket));
}

Started Connector::StartInProgress(const Attempt& attempt, UniqueFd socket) {
  switch (net_->Look(socket.get())) {
    case Handshake::kGoingOn:
      return Pend(attempt, std::move(socket));
    case Handshake::kDone:
      if (net_->Connect(socket.get(), attempt.request.endpoint) != 0) break;
      return Connected(std::move(socket));
    case Handshake::kOver:
      return Connected(std::move(socket));
    case Handshake::kFailed:
      break;
  }
  return Failed(0, std::move(socket));
}

Started Connector::Pend(const Attempt& attempt, UniqueFd socket) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(pending_.size()));
    pending_.emplace_back();
  }
  const uint32_t index = free_.back();
  const EventLoop::Id watch = loop_->Watch(socket.get(), EPOLLOUT, this, index);
  if (!watch.valid()) return Failed(errno);
  free_.pop_back();

  Pending& entry = pending_[index];
  entry.attempt = attempt;
  entry.socket = std::move(socket);
  entry.watch = watch;
  const auto allowed = std::chrono::milliseconds(attempt.request.deadline_ms);
  entry.deadline = loop_->SetDeadline(attempt.begun + allowed, this, index);
  Link(index);

  Started started;
  started.progress = Progress::kPending;
  if (attempt.request.mode == ConnectMode::kInProgress) started.lent = entry.socket.get();
  return started;
}

void Connector::OnEvent(uint64_t cookie, uint32_t /*epoll_events*/) {
  const auto index = static_cast<uint32_t>(cookie);
  const Pending& entry = pending_[index];
  if (entry.attempt.request.mode == ConnectMode::kInProgress) {
    Finalise(index);
    return;
  }
  const int error = net_->Connect(entry.socket.get(), entry.attempt.request.endpoint);
  if (error == EALREADY || error == EINPROGRESS) return;
  End(index, error == 0 ? Progress::kConnected : Progress::kFailed, error);
}

// Only a handshake that ended well is touched: connect(2) would take the error of another away.
void Connector::Finalise(uint32_t index) {
  const Pending& entry = pending_[index];
  switch (net_->Look(entry.socket.get())) {
    case Handshake::kGoingOn:
      return;
    case Handshake::kDone:
      net_->Connect(entry.socket.get(), entry.attempt.request.endpoint);
      End(index, Progress::kConnected, 0);
      return;
    case Handshake::kOver:
      End(index, Progress::kConnected, 0);
      return;
    case Handshake::kFailed:
      End(index, Progress::kFailed, 0);
      return;
  }
}

void Connector::OnDeadline(uint64_t cookie) { Abandon(static_cast<uint32_t>(cookie), ETIMEDOUT); }

void Connector::CancelWorker(WorkerRecord* worker) {
  while (worker->first_pending != kNone) Abandon(worker->first_pending, ECANCELED);
}

void Connector::CancelChannel(WorkerRecord* worker, uint64_t channel) {
  uint32_t index = worker->first_pending;
  while (index != kNone) {
    const Pending& entry = pending_[index];
    const bool waits = entry.attempt.request.mode == ConnectMode::kConnected;
    if (waits && entry.attempt.channel == channel) {
      Abandon(index, ECANCELED);
      index = worker->first_pending;  // the observer may have changed the list
    } else {
      index = entry.next;
    }
  }
}

// By index, for the observer may start others meanwhile.
size_t Connector::CancelTracked(absl::FunctionRef<bool(const Attempt&)> matches) {
  size_t count = 0;
  for (uint32_t index = 0; index < pending_.size(); ++index) {
    const Pending& entry = pending_[index];
    if (!entry.socket.valid() || !entry.attempt.tracked || !matches(entry.attempt)) continue;
    Abandon(index, ECANCELED);
    ++count;
  }
  return count;
}

void Connector::Abandon(uint32_t index, int error) {
  const Pending& entry = pending_[index];
  // The worker holds the socket, even one that has closed its channels: its handshake must not end
  // well when nobody is left to finalise it.
  if (entry.attempt.request.mode == ConnectMode::kInProgress) net_->GiveUp(entry.socket.get());
  End(index, Progress::kFailed, error);
}

void Connector::End(uint32_t index, Progress progress, int error) {
  Pending& entry = pending_[index];
  loop_->Unwatch(&entry.watch);
  loop_->Cancel(&entry.deadline);
  Unlink(index);
  UniqueFd socket = std::move(entry.socket);
  const Attempt attempt = std::move(entry.attempt);
  free_.push_back(index);
  const bool wanted = progress == Progress::kConnected &&
                      (attempt.request.mode == ConnectMode::kConnected || attempt.tracked);
  if (!wanted) socket.Reset();
  // Last, for the observer may start or cancel others.
  observer_->OnConnectEnd(attempt, progress, error, std::move(socket));
}

void Connector::Link(uint32_t index) {
  WorkerRecord* worker = pending_[index].attempt.worker;
  pending_[index].previous = kNone;
  pending_[index].next = worker->first_pending;
  if (worker->first_pending != kNone) pending_[worker->first_pending].previous = index;
  worker->first_pending = index;
  ++worker->pending;
  if (worker->usage != nullptr) RoleUsage::Increment(&worker->usage->pending);
  if (pending_[index].attempt.tracked) ++worker->connections;
}

void Connector::Unlink(uint32_t index) {
  const Pending& entry = pending_[index];
  WorkerRecord* worker = entry.attempt.worker;
  if (entry.previous == kNone) {
    worker->first_pending = entry.next;
  } else {
    pending_[entry.previous].next = entry.next;
  }
  if (entry.next != kNone) pending_[entry.next].previous = entry.previous;
  --worker->pending;
  if (worker->usage != nullptr) RoleUsage::Decrement(&worker->usage->pending);
  if (entry.attempt.tracked) --worker->connections;
}

}  // namespace sockgate
