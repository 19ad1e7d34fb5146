#include "broker/server.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "broker/refusal.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

// How long an audit line may wait for others to be written with it.
constexpr std::chrono::milliseconds kAuditDelay(10);

// What a worker that cannot have one more channel is told to wait.
constexpr uint32_t kRetryAfterMs = 1000;

}  // namespace

Server::Server(EventLoop* loop, Net* net, AuditLog* audit)
    : loop_(loop), audit_(audit), connector_(loop, net, this) {}

Server::~Server() {
  while (!sessions_.empty()) sessions_.begin()->second->Close();
  ended_.clear();
  loop_->Cancel(&flush_);
  audit_->Flush();
}

void Server::AddWorker(UniqueFd channel, const Role* role, const Peer& peer) {
  auto worker = std::make_shared<WorkerRecord>();
  worker->id = ++last_worker_;
  worker->role = role;
  worker->peer = peer;
  // A worker that cannot be served sees its channel close.
  AddSession(worker, std::move(channel), Session::Phase::kGreeting);
}

int Server::AddSession(const std::shared_ptr<WorkerRecord>& worker, UniqueFd channel,
                       Session::Phase phase) {
  const SessionContext context = {loop_, &connector_, audit_, this};
  const uint64_t id = ++last_channel_;
  auto session = std::make_unique<Session>(context, worker, id, std::move(channel), phase);
  const int error = session->Begin();
  if (error != 0) {
    audit_->Channel(*worker, id, "refused", strerror(error));
    return error;
  }
  ++worker->channels;
  sessions_.emplace(id, std::move(session));
  return 0;
}

Result Server::MintChannel(const std::shared_ptr<WorkerRecord>& worker, UniqueFd* worker_end) {
  if (worker->channels >= worker->role->limits.max_channels) {
    return Limited(Reason::kChannels, kRetryAfterMs);
  }
  auto pair = MakeChannelPair();
  if (!pair.has_value()) return Failed(errno, kRetryAfterMs);
  const int error = AddSession(worker, std::move(pair->broker), Session::Phase::kOpen);
  if (error != 0) return Failed(error, kRetryAfterMs);
  *worker_end = std::move(pair->worker);
  Result result;
  result.outcome = Outcome::kOpened;
  return result;
}

void Server::EndSession(Session* session) {
  const auto found = sessions_.find(session->id());
  ended_.push_back(std::move(found->second));
  sessions_.erase(found);
  WorkerRecord* worker = session->worker().get();
  --worker->channels;
  connector_.CancelChannel(worker, session->id());
  // Without a channel the worker is gone, and nobody else may hold its descriptors.
  if (worker->channels == 0) connector_.CancelWorker(worker);
}

void Server::OnConnectEnd(const Attempt& attempt, Progress progress, int error, UniqueFd socket) {
  if (attempt.request.mode == ConnectMode::kConnected) {
    const auto found = sessions_.find(attempt.channel);
    if (found != sessions_.end()) {
      found->second->OnConnectEnd(attempt, progress, error, std::move(socket));
      return;
    }
  }
  Result result;
  result.outcome = progress == Progress::kConnected ? Outcome::kConnected : Outcome::kFailed;
  result.error = static_cast<uint32_t>(error);
  audit_->Completion(attempt, result, EventLoop::Now());
}

void Server::AfterWakeup() {
  ended_.clear();
  if (audit_->batch_full()) audit_->Flush();
  if (audit_->pending() && !flush_.valid()) {
    flush_ = loop_->SetDeadline(EventLoop::Now() + kAuditDelay, this, 0);
  }
}

void Server::OnEvent(uint64_t /*cookie*/, uint32_t /*epoll_events*/) {}

void Server::OnDeadline(uint64_t /*cookie*/) {
  flush_ = EventLoop::Id();
  audit_->Flush();
}

}  // namespace sockgate
