#include "broker/server.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "broker/refusal.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

// How long an audit line may wait for others to be written with it.
constexpr std::chrono::milliseconds kAuditDelay(10);

// How long whoever reads the log has for the lines of the end.
constexpr std::chrono::milliseconds kLastLinesPatience(200);

// What a worker that cannot have one more channel is told to wait.
constexpr uint32_t kChannelRetryMs = 1000;

}  // namespace

Server::Server(EventLoop* loop, Net* net, AuditLog* audit, BrokerUsage* usage,
               const NameServing& names, Numbering numbers)
    : loop_(loop),
      audit_(audit),
      usage_(usage),
      numbers_(numbers),
      backlog_(loop),
      connector_(loop, net, this),
      tracker_(loop, net, audit),
      connects_(&connector_, &tracker_, audit, &looks_),
      lingering_(loop, [](WorkerRecord* worker) {
        --worker->lingering;
        ForgetChannel(worker);
      }) {
  if (names.source == nullptr) return;
  lookups_ = std::make_unique<LookupDesk>(loop, names, audit, this, &looks_);
}

Server::~Server() {
  // Before the workers go, which would be cut.
  tracker_.Stop();
  while (!sessions_.empty()) sessions_.begin()->second->Close();
  ended_.clear();
  loop_->Cancel(&flush_);
  audit_->FlushAll(kLastLinesPatience);
}

void Server::AddWorker(UniqueFd channel, RoleSnapshot role, const Peer& peer) {
  auto worker = std::make_shared<WorkerRecord>();
  worker->role = std::move(role);
  worker->peer = peer;
  Greet(worker, std::move(channel));
}

void Server::AddWorkerByPath(UniqueFd channel, RoleSnapshot role, PeerIdentity identity,
                             ConfinedCheck confined) {
  auto worker = std::make_shared<WorkerRecord>();
  worker->role = std::move(role);
  worker->peer = {identity.pid, identity.uid};
  worker->came_as = std::move(identity);
  worker->keeps_process = worker->role->require_confined;
  worker->confined = std::move(confined);
  Greet(worker, std::move(channel));
}

// A worker that cannot be served sees its channel close.
void Server::Greet(const std::shared_ptr<WorkerRecord>& worker, UniqueFd channel) {
  worker->id = NextNumber(&last_worker_);
  worker->metrics = MetricsOf(worker->role->name);
  worker->usage = usage_->OfRole(worker->role->name);
  if (const Reason limit = WhyNoWorker(*worker->role, *worker->usage); limit != Reason::kNone) {
    audit_->Channel(*worker, NextNumber(&last_channel_), "refused", Word(limit));
    return;
  }
  if (AddSession(worker, std::move(channel), Session::Phase::kGreeting) != 0) return;
  RoleUsage::Increment(&worker->usage->workers);
  if (worker->keeps_process) worker->usage->KeepDescriptor();
}

Reason Server::WhyNoWorker(const Role& role) {
  return WhyNoWorker(role, *usage_->OfRole(role.name));
}

Reason Server::WhyNoWorker(const Role& role, const RoleUsage& usage) {
  if (RoleUsage::IsFull(usage.workers, role.totals.max_workers) ||
      RoleUsage::IsFull(usage.channels, role.totals.max_channels)) {
    return Reason::kRoleLimit;
  }
  return stopping_ ? Reason::kStopping : usage_->WhyNoChannel(EventLoop::Now());
}

RoleMetrics* Server::MetricsOf(const std::string& role) {
  std::unique_ptr<RoleMetrics>& metrics = metrics_[role];
  if (metrics == nullptr) metrics = std::make_unique<RoleMetrics>();
  return metrics.get();
}

uint64_t Server::NextNumber(uint64_t* last) const {
  *last += *last == 0 ? numbers_.first : numbers_.step;
  return *last;
}

void Server::RefuseWorker(RoleSnapshot role, const Peer& peer, absl::string_view why) {
  WorkerRecord worker;
  worker.id = NextNumber(&last_worker_);
  worker.role = std::move(role);
  worker.peer = peer;
  audit_->Channel(worker, NextNumber(&last_channel_), "refused", why);
}

void Server::Adopt(const RoleTable& roles, const TtlBounds* renewed) {
  // Or the roles of workers that have just gone would be destroyed later, in this thread.
  ended_.clear();
  for (auto& [name, metrics] : metrics_) metrics->denials.clear();
  std::map<std::string, RoleSnapshot> closed;
  absl::flat_hash_set<const WorkerRecord*> seen;
  for (const auto& [id, session] : sessions_) {
    WorkerRecord* worker = session->worker().get();
    if (!seen.insert(worker).second) continue;
    RoleSnapshot next = roles.Find(worker->role->name);
    const bool gone = next == nullptr;
    if (gone || !StillAdmits(*next, worker, id)) {
      RoleSnapshot& shut = closed[worker->role->name];
      const Limits& limits = gone ? worker->role->limits : next->limits;
      if (shut == nullptr) shut = RoleTable::Removed(worker->role->name, limits);
      next = shut;
    }
    worker->role = std::move(next);
  }
  if (lookups_ != nullptr) lookups_->Adopt(roles, renewed);
  const TimePoint now = EventLoop::Now();
  const auto denied = [now](const Attempt& one) { return !ConnectDesk::StillAllows(one, now); };
  CutTracked(denied, ConnectionEnd::By::kPolicy);
  tracker_.Adopt();
}

size_t Server::Revoke(const RevokeOrder& order, RevokeOrder::Met* met) {
  for (const auto& [id, session] : sessions_) order.Meet(*session->worker(), met);
  const auto matches = [&order](const Attempt& attempt) { return order.Matches(attempt); };
  return CutTracked(matches, ConnectionEnd::By::kRevoked);
}

size_t Server::CutTracked(absl::FunctionRef<bool(const Attempt&)> matches, ConnectionEnd::By by) {
  return connector_.CancelTracked(matches) + tracker_.Cut(matches, by);
}

bool Server::StillAdmits(const Role& role, WorkerRecord* worker, uint64_t channel) {
  const bool before = worker->admitted;
  worker->admitted = !worker->came_as.has_value() || Admits(role.peers, *worker->came_as);
  if (before && !worker->admitted) audit_->Channel(*worker, channel, "refused", "peer");
  return worker->admitted;
}

std::map<std::string, Server::Crowd> Server::Crowds() const {
  std::map<std::string, Crowd> crowds;
  absl::flat_hash_set<const WorkerRecord*> seen;
  for (const auto& [name, metrics] : metrics_) crowds[name].metrics = *metrics;
  for (const auto& [id, session] : sessions_) {
    const WorkerRecord* worker = session->worker().get();
    Crowd& crowd = crowds[worker->role->name];
    crowd.role = worker->role;
    ++crowd.channels;
    crowd.unread += session->unread();
    if (!seen.insert(worker).second) continue;
    ++crowd.workers;
    crowd.pending += worker->pending;
    crowd.tracked += worker->connections;
  }
  lingering_.ForEach([&](const WorkerRecord& worker) {
    Crowd& crowd = crowds[worker.role->name];
    ++crowd.channels;
    if (seen.insert(&worker).second) ++crowd.workers;
  });
  return crowds;
}

int Server::AddSession(const std::shared_ptr<WorkerRecord>& worker, UniqueFd channel,
                       Session::Phase phase) {
  const SessionContext context = {loop_,          &connects_, audit_,    this,
                                  lookups_.get(), &looks_,    &backlog_, usage_};
  const uint64_t id = NextNumber(&last_channel_);
  auto session = std::make_unique<Session>(context, worker, id, std::move(channel), phase);
  const int error = session->Begin();
  if (error != 0) {
    audit_->Channel(*worker, id, "refused", strerror(error));
    return error;
  }
  ++worker->channels;
  RoleUsage::Increment(&worker->usage->channels);
  worker->usage->KeepDescriptor();
  sessions_.emplace(id, std::move(session));
  return 0;
}

Result Server::MintChannel(const std::shared_ptr<WorkerRecord>& worker, UniqueFd* worker_end) {
  if (stopping_) return Limited(Reason::kStopping, kChannelRetryMs);
  if (worker->channels + worker->lingering >= worker->role->limits.max_channels) {
    return Limited(Reason::kChannels, kChannelRetryMs);
  }
  if (RoleUsage::IsFull(worker->usage->channels, worker->role->totals.max_channels)) {
    return Limited(Reason::kRoleLimit, kChannelRetryMs);
  }
  const TimePoint now = EventLoop::Now();
  if (usage_->TooManyInFlight()) return Limited(Reason::kDescriptors, kChannelRetryMs);
  if (const Reason limit = usage_->WhyNoChannel(now); limit != Reason::kNone) {
    return Limited(limit, kChannelRetryMs);
  }
  auto pair = MakeChannelPair();
  if (!pair.has_value()) return Failed(errno, kChannelRetryMs);
  const int error = AddSession(worker, std::move(pair->broker), Session::Phase::kOpen);
  if (error != 0) return Failed(error, kChannelRetryMs);
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
  if (lookups_ != nullptr) lookups_->CancelChannel(session->id());
  // Without a channel the worker can ask no more, and nobody else may hold its descriptors. Reloads
  // pass it by, so it must not keep a policy.
  if (worker->channels == 0) {
    connector_.CancelWorker(worker);
    tracker_.EndWorker(worker);
    worker->role = RoleTable::Removed(worker->role->name, worker->role->limits);
  }
  if (lingering_.Add(session->worker(), session->TakeChannel())) {
    ++worker->lingering;
  } else {
    ForgetChannel(worker);
  }
}

void Server::ForgetChannel(WorkerRecord* worker) {
  RoleUsage::Decrement(&worker->usage->channels);
  worker->usage->ReturnDescriptor();
  if (worker->channels + worker->lingering > 0) return;
  RoleUsage::Decrement(&worker->usage->workers);
  if (worker->keeps_process) worker->usage->ReturnDescriptor();
}

bool Server::finished() const {
  if (connector_.pending() > 0 || (lookups_ != nullptr && lookups_->waiting() > 0)) return false;
  if (audit_->pending()) return false;
  return std::all_of(sessions_.begin(), sessions_.end(),
                     [](const auto& entry) { return entry.second->unread() == 0; });
}

void Server::OnConnectEnd(const Attempt& attempt, Progress progress, int error, UniqueFd socket) {
  if (attempt.request.mode == ConnectMode::kConnected) {
    const auto found = sessions_.find(attempt.channel);
    if (found != sessions_.end()) {
      found->second->OnConnectEnd(attempt, progress, error, std::move(socket));
      return;
    }
  }
  connects_.EndAnswered(attempt, progress, error, std::move(socket));
}

void Server::OnLookupEnd(const Lookup& lookup, const LookupEnd& end) {
  const auto found = sessions_.find(lookup.channel);
  if (found != sessions_.end()) {
    found->second->OnLookupEnd(lookup, end);
    return;
  }
  LookupEnd cancelled;
  cancelled.reply.result = Failed(ECANCELED, kRetryAfterMs);
  RecordLookup(lookup, cancelled, audit_);
}

void Server::AfterWakeup() {
  backlog_.ServeOne();
  if (!backlog_.empty()) loop_->DoNotWait();
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
