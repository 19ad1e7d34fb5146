#include "broker/shard.h"

#include <algorithm>
#include <map>
#include <utility>

namespace sockgate {
namespace {

NameServing NamesFrom(NameSource* source, const TtlBounds& ttl) {
  NameServing serving;
  serving.source = source;
  serving.ttl = ttl;
  return serving;
}

void AddCrowds(const std::map<std::string, Server::Crowd>& crowds, BrokerStatus* status) {
  for (const auto& [name, crowd] : crowds) {
    const auto found = status->roles.find(name);
    if (crowd.role == nullptr && found == status->roles.end()) continue;  // and nobody has it
    BrokerStatus::Role& role = status->roles[name];
    if (found == status->roles.end()) {
      role.mode = crowd.role->policy.mode();
      role.rules = crowd.role->policy.rules().size();
      role.removed = true;
    }
    role.workers += crowd.workers;
    role.channels += crowd.channels;
    role.pending += crowd.pending;
    role.unread += crowd.unread;
    role.tracked += crowd.tracked;
    role.metrics.Add(crowd.metrics);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Shard>> Shard::Create(Options options, const RoleTable& roles,
                                                     BrokerUsage* usage) {
  auto loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  std::unique_ptr<ResolverLink> link;
  if (options.resolvers != nullptr) {
    link = std::make_unique<ResolverLink>(loop->get(), std::move(options.resolvers));
    if (const int error = link->Begin()) return absl::ErrnoToStatus(error, "epoll_ctl");
  }
  return std::unique_ptr<Shard>(
      new Shard(std::move(options), roles, *std::move(loop), std::move(link), usage));
}

Shard::Shard(Options options, const RoleTable& roles, std::unique_ptr<EventLoop> loop,
             std::unique_ptr<ResolverLink> resolver, BrokerUsage* usage)
    : audit_(std::move(options.audit)),
      loop_(std::move(loop)),
      resolver_(std::move(resolver)),
      server_(loop_.get(), &net_, &audit_, usage, NamesFrom(resolver_.get(), options.ttl),
              options.numbers),
      roles_(roles),
      tasks_(loop_.get()) {
  if (resolver_ != nullptr) resolver_->SetLog(&audit_);
}

void Shard::Add(UniqueFd channel, std::string role, const Peer& peer) {
  ++arriving_;
  tasks_.Post([this, channel = std::move(channel), name = std::move(role), peer]() mutable {
    ++arrived_;
    RoleSnapshot found = roles_.Find(name);
    // A reload may have been faster.
    if (found == nullptr) found = RoleTable::Removed(std::move(name), Limits());
    server_.AddWorker(std::move(channel), std::move(found), peer);
  });
}

void Shard::AddByPath(UniqueFd channel, RoleSnapshot role, uint64_t generation,
                      PeerIdentity identity, ConfinedCheck confined) {
  ++arriving_;
  tasks_.Post([this, channel = std::move(channel), role = std::move(role), generation,
               identity = std::move(identity), confined = std::move(confined)]() mutable {
    ++arrived_;
    // What let it in was meant for another role; unless it is the next policy's, which is on its way.
    if (generation <= generation_ && roles_.Find(role->name) != role) {
      const Peer peer = {identity.pid, identity.uid};
      server_.RefuseWorker(std::move(role), peer, "reload");
      return;
    }
    server_.AddWorkerByPath(std::move(channel), std::move(role), std::move(identity),
                            std::move(confined));
  });
}

void Shard::Adopt(uint64_t number, RoleTable* roles,
                  const std::optional<ResolverOptions>& resolver) {
  std::swap(roles_, *roles);
  generation_ = number;
  audit_.SetPolicy(number);
  const bool renewed = resolver.has_value() && resolver_ != nullptr && RestartResolver(*resolver);
  server_.Adopt(roles_, renewed ? &resolver->ttl : nullptr);
}

// A policy without the resolver that it asks for still is the policy; the log tells what is
// missing.
bool Shard::RestartResolver(const ResolverOptions& options) {
  const absl::Status status = resolver_->Restart(options);
  if (!status.ok()) audit_.Resolver("not-replaced", status.message());
  return status.ok();
}

void Shard::AddTo(BrokerStatus* status) const {
  AddCrowds(server_.Crowds(), status);
  status->wakeups += loop_->wakeups();
  status->audit.lines += audit_.lines();
  status->audit.lost += audit_.lost();
  status->audit.waiting_bytes += audit_.waiting_bytes();
  status->audit.full |= audit_.full();
  if (resolver_ == nullptr) return;
  const ResolverState state = resolver_->state();
  if (!status->resolver.has_value()) status->resolver = BrokerStatus::Resolver{state, 0, {}};
  // The worst, in the order of the enumeration.
  status->resolver->state = std::max(status->resolver->state, state);
  status->resolver->questions += server_.questions();
  status->resolver->cache.Add(server_.cache());
}

void Shard::Run() {
  tasks_.Begin();
  loop_->Run([this] { AfterWakeup(); });
  tasks_.End();
}

void Shard::FinishUp() {
  server_.FinishUp();
  loop_->Wake();
}

void Shard::AfterWakeup() {
  tasks_.RunAll();
  // After whatever may have written a line to the log.
  server_.AfterWakeup();
  channels_.store(server_.channels());
  // Only now, or it would seem for a moment that they are nowhere.
  arriving_ -= std::exchange(arrived_, 0);
  if (server_.stopping()) finished_.store(server_.finished());
  if (after_) after_();
}

}  // namespace sockgate
