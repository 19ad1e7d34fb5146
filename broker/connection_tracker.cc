#include "broker/connection_tracker.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

namespace sockgate {
namespace {

using By = ConnectionEnd::By;

By WhoEnded(Measured::End end) {
  switch (end) {
    case Measured::End::kByPeer:
      return By::kPeer;
    case Measured::End::kBroken:
      return By::kReset;
    case Measured::End::kByHolder:
    case Measured::End::kNone:
      break;
  }
  return By::kWorker;
}

}  // namespace

int ConnectionTracker::Track(const Attempt& attempt, UniqueFd socket) {
  Connections& all = workers_[attempt.worker];
  Connection& connection = all.emplace_front();
  const auto cookie = reinterpret_cast<uint64_t>(&connection);
  connection.watch = loop_->Watch(socket.get(), EPOLLRDHUP, this, cookie);
  if (!connection.watch.valid()) {
    const int error = errno;
    all.pop_front();
    if (all.empty()) workers_.erase(attempt.worker);
    net_->GiveUp(socket.get());
    return error;
  }
  connection.attempt = attempt;
  connection.socket = std::move(socket);
  connection.begun = EventLoop::Now();
  connection.self = all.begin();
  ++attempt.worker->connections;
  SetAge(&connection);
  return 0;
}

void ConnectionTracker::EndWorker(const WorkerRecord* worker) {
  // Anew each time: the last one takes the list away.
  for (auto found = workers_.find(worker); found != workers_.end(); found = workers_.find(worker)) {
    CutOne(&found->second.front(), By::kWorkerGone);
  }
}

size_t ConnectionTracker::Cut(absl::FunctionRef<bool(const Attempt&)> matches, By by) {
  std::vector<Connection*> found;
  for (auto& [worker, connections] : workers_) {
    for (Connection& connection : connections) {
      if (matches(connection.attempt)) found.push_back(&connection);
    }
  }
  for (Connection* connection : found) CutOne(connection, by);
  return found.size();
}

void ConnectionTracker::Adopt() {
  std::vector<Connection*> untracked;
  for (auto& [worker, connections] : workers_) {
    for (Connection& connection : connections) {
      if (worker->role->track) {
        SetAge(&connection);
      } else {
        untracked.push_back(&connection);
      }
    }
  }
  for (Connection* connection : untracked) End(connection, By::kUntracked);
}

void ConnectionTracker::Stop() {
  while (!workers_.empty()) End(&workers_.begin()->second.front(), By::kBrokerStops);
}

void ConnectionTracker::OnEvent(uint64_t cookie, uint32_t epoll_events) {
  Connection* connection = Of(cookie);
  if ((epoll_events & EPOLLHUP) != 0) {
    const Measured measured = net_->Measure(connection->socket.get());
    const bool peer_was_first = connection->half_open.has_value();
    End(connection, peer_was_first ? By::kPeer : WhoEnded(measured.end), measured);
  } else if ((epoll_events & EPOLLERR) != 0) {
    // An error of a connection that goes on is of the worker's making: it has asked for an error
    // queue. It would wake the loop for ever.
    CutOne(connection, By::kReset);
  } else {
    OnPeersFin(connection);
  }
}

void ConnectionTracker::OnPeersFin(Connection* connection) {
  // From here on only the end, which is always told: this half would be told at every wake-up.
  loop_->Change(connection->watch, 0);
  const Measured measured = net_->Measure(connection->socket.get());
  // Or the worker has shut down what it reads.
  if (measured.end != Measured::End::kByPeer) return;
  connection->half_open = measured;
  connection->too_quiet = EventLoop::Now() + half_open_patience_;
  SetDeadline(connection);
}

void ConnectionTracker::OnDeadline(uint64_t cookie) {
  Connection* connection = Of(cookie);
  connection->deadline = EventLoop::Id();
  const TimePoint now = EventLoop::Now();
  if (connection->too_old <= now) {
    CutOne(connection, By::kAge);
  } else {
    LookAtHalfOpen(connection, now);
  }
}

void ConnectionTracker::LookAtHalfOpen(Connection* connection, TimePoint now) {
  const uint64_t sent = net_->Measure(connection->socket.get()).bytes_sent;
  if (sent == connection->half_open->bytes_sent) {
    CutOne(connection, By::kPeer);
    return;
  }
  connection->half_open->bytes_sent = sent;
  connection->too_quiet = now + half_open_patience_;
  SetDeadline(connection);
}

ConnectionTracker::Connection* ConnectionTracker::Of(uint64_t cookie) {
  return reinterpret_cast<Connection*>(cookie);
}

void ConnectionTracker::SetAge(Connection* connection) {
  const std::chrono::seconds most(connection->attempt.worker->role->limits.max_connection_age_s);
  connection->too_old = most.count() == 0 ? TimePoint::max() : connection->begun + most;
  SetDeadline(connection);
}

void ConnectionTracker::SetDeadline(Connection* connection) {
  loop_->Cancel(&connection->deadline);
  const TimePoint when = std::min(connection->too_old, connection->too_quiet);
  if (when == TimePoint::max()) return;
  connection->deadline = loop_->SetDeadline(when, this, reinterpret_cast<uint64_t>(connection));
}

void ConnectionTracker::CutOne(Connection* connection, By by) {
  // Measured afterwards, when nothing can be added.
  net_->GiveUp(connection->socket.get());
  End(connection, by);
}

void ConnectionTracker::End(Connection* connection, By by) {
  End(connection, by, net_->Measure(connection->socket.get()));
}

void ConnectionTracker::End(Connection* connection, By by, const Measured& measured) {
  loop_->Unwatch(&connection->watch);
  loop_->Cancel(&connection->deadline);
  WorkerRecord* worker = connection->attempt.worker;
  --worker->connections;
  ConnectionEnd end;
  end.by = by;
  end.bytes_sent = measured.bytes_sent;
  end.bytes_received = connection->half_open.value_or(measured).bytes_received;
  end.duration = EventLoop::Now() - connection->begun;
  if (worker->metrics != nullptr) worker->metrics->Carried(end.bytes_sent, end.bytes_received);
  audit_->Connection(connection->attempt, end);
  const auto found = workers_.find(worker);
  found->second.erase(connection->self);
  if (found->second.empty()) workers_.erase(found);
}

}  // namespace sockgate
