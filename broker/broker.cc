#include "broker/broker.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "broker/thread_without_signals.h"
#include "proto/limits.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

// An audit log whose reader has gone must show as EPIPE, and one that may not grow as EFBIG; neither
// may end the process.
void BlockSignalsOfWriting() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  sigaddset(&set, SIGXFSZ);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Broker* g_signalled = nullptr;
std::atomic<bool> g_signalled_once = false;
std::chrono::milliseconds g_finish;

void StopSignalled(int /*signal*/) {
  if (g_finish.count() == 0 || g_signalled_once.exchange(true)) {
    g_signalled->Stop();
  } else {
    g_signalled->FinishUp(g_finish);
  }
}

absl::Status CheckOptions(const BrokerOptions& options) {
  if (options.threads >= 1 && options.threads <= Broker::kMaxThreads) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a broker has 1 to ", Broker::kMaxThreads, " threads, not ", options.threads));
}

// A resolver for each thread, before anything else is open that the children would have to close.
absl::Status StartResolvers(const BrokerOptions& options,
                            std::vector<std::unique_ptr<ResolverSupply>>* all) {
  for (uint32_t i = 0; options.resolver.has_value() && i < options.threads; ++i) {
    auto keeper = ResolverKeeper::Start(*options.resolver, options.cage);
    if (!keeper.ok()) return keeper.status();
    all->push_back(std::make_unique<KeptResolvers>(*std::move(keeper)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Broker>> Broker::Create(BrokerOptions options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  auto roles = RoleTable::Make(std::move(options.roles));
  if (!roles.ok()) return roles.status();
  std::vector<std::unique_ptr<ResolverSupply>> resolvers;
  absl::Status status = StartResolvers(options, &resolvers);
  if (!status.ok()) return status;
  auto broker =
      std::unique_ptr<Broker>(new Broker(*std::move(roles), options.resolver, options.cage));
  status = broker->AddShards(std::move(options), std::move(resolvers));
  if (!status.ok()) return status;
  return broker;
}

Broker::Broker(RoleTable roles, const std::optional<ResolverOptions>& resolver_options,
               confine::CageLevel level)
    : cage_level_(level),
      first_resolver_(resolver_options),
      cage_(LookAtCage(confine::CageLevel::kNone, 0)),
      started_(std::chrono::system_clock::now()),
      started_steady_(EventLoop::Now()),
      roles_(std::move(roles)) {}

absl::Status Broker::AddShards(BrokerOptions options,
                               std::vector<std::unique_ptr<ResolverSupply>> resolvers) {
  usage_.SetLimits(options.limits);
  sink_ = std::make_shared<AuditSink>(std::move(options.audit));
  sink_->set_overflow(options.audit_overflow);
  for (uint32_t i = 0; i < options.threads; ++i) {
    Shard::Options of_shard;
    of_shard.numbers = {i + 1, options.threads};
    of_shard.audit = sink_;
    if (!resolvers.empty()) of_shard.resolvers = std::move(resolvers[i]);
    of_shard.ttl = options.resolver.value_or(ResolverOptions()).ttl;
    auto shard = Shard::Create(std::move(of_shard), roles_, &usage_);
    if (!shard.ok()) return shard.status();
    (*shard)->loop()->set_spin(options.spin);
    shards_.push_back(*std::move(shard));
  }
  for (const auto& shard : shards_) {
    shard->set_after_wakeup([this, one = shard.get()] {
      if (one == first()) {
        AfterWakeup();
      } else if ((launcher_gone_ && one->load() == 0) || one->finished()) {
        first()->loop()->Wake();
      }
    });
  }
  listeners_.emplace(first()->loop(), this);
  return absl::OkStatus();
}

Broker::~Broker() {
  listeners_.reset();
  heartbeat_.reset();
  if (shards_.empty()) return;
  first()->loop()->Unwatch(&control_watch_);
  first()->loop()->Cancel(&finish_latest_);
}

absl::Status Broker::Listen(const ListenAt& at, UniqueFd inherited) {
  return listeners_->Add(at, roles_, std::move(inherited));
}

void Broker::BeatEvery(std::chrono::microseconds period, std::function<void()> beat) {
  heartbeat_.emplace(first()->loop(), period, [this, beat = std::move(beat)] { Beat(beat); });
}

// Only while all loops go round: each of the others is asked at one beat, and has to have answered by
// the next.
void Broker::Beat(const std::function<void()>& beat) {
  const auto others = static_cast<uint32_t>(shards_.size() - 1);
  if (beats_answered_ < beats_asked_) return;
  beat();
  for (size_t i = 1; i < shards_.size(); ++i) {
    shards_[i]->tasks().Post([this] { ++beats_answered_; });
  }
  beats_asked_ += others;
}

absl::Status Broker::EnterCage(const CagePlaces& places) {
  if (cage_level_ != confine::CageLevel::kNone) {
    // The filter has no place for it.
    RaiseDescriptorLimit();
    auto caged = sockgate::EnterCage(cage_level_, places, {roles_, ListensAt(), first_resolver_});
    if (!caged.ok()) return caged.status();
    cage_ = caged->report;
    bounds_.emplace(std::move(caged->bounds));
  }
  first()->audit().Cage(cage_);
  return absl::OkStatus();
}

// Sockets on their way need descriptors, and descriptors in flight are limited by the same number.
void Broker::RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  usage_.CountDescriptors();
}

absl::StatusOr<UniqueFd> Broker::AddWorker(absl::string_view role) {
  if (!HasRole(role)) return absl::NotFoundError(absl::StrCat("no role is named ", role));
  auto pair = MakeChannelPair();
  if (!pair.has_value()) return absl::ErrnoToStatus(errno, "cannot make a channel");
  Place(std::move(pair->broker), std::string{role}, {getpid(), getuid()});
  return std::move(pair->worker);
}

Shard* Broker::Choose() const {
  const auto least =
      std::min_element(shards_.begin(), shards_.end(),
                       [](const auto& a, const auto& b) { return a->load() < b->load(); });
  return least->get();
}

void Broker::Place(UniqueFd channel, std::string role, const Peer& peer) {
  Choose()->Add(std::move(channel), std::move(role), peer);
}

void Broker::AddWorkerByPath(UniqueFd channel, RoleSnapshot role, PeerIdentity identity,
                             ConfinedCheck confined) {
  Shard* shard = Choose();
  if (shard == first()) {
    shard->server().AddWorkerByPath(std::move(channel), std::move(role), std::move(identity),
                                    std::move(confined));
  } else {
    shard->AddByPath(std::move(channel), std::move(role), generation(), std::move(identity),
                     std::move(confined));
  }
}

Reason Broker::WhyNoWorker(const Role& role) { return first()->server().WhyNoWorker(role); }

void Broker::RefuseWorker(RoleSnapshot role, const Peer& peer, absl::string_view why) {
  first()->server().RefuseWorker(std::move(role), peer, why);
}

absl::Status Broker::Replace(std::vector<Role> roles, std::vector<ListenAt> listen,
                             const std::optional<ResolverOptions>& resolver, const OrderedBy& by) {
  auto table = RoleTable::Make(std::move(roles));
  if (!table.ok()) return table.status();
  absl::Status status = Listeners::Check(listen, *table);
  if (status.ok() && bounds_.has_value()) status = bounds_->Check(*table, listen, resolver);
  if (status.ok() && resolver.has_value()) status = CheckResolverOptions(*resolver);
  if (!status.ok()) return status;
  const std::lock_guard<std::mutex> one_at_a_time(replacing_);
  const RoleTable next = *table;
  bool done = first()->tasks().Do([&] { status = Apply(&*table, listen, resolver, by); });
  if (done && status.ok()) {
    const uint64_t number = generation();
    for (size_t i = 1; i < shards_.size() && done; ++i) {
      RoleTable of_shard = next;
      done = shards_[i]->tasks().Do([&] { shards_[i]->Adopt(number, &of_shard, resolver); });
    }
  }
  if (!done) return absl::UnavailableError("the broker has stopped");
  return bounds_.has_value() ? CageBounds::Explain(status) : status;
}

absl::Status Broker::Apply(RoleTable* roles, const std::vector<ListenAt>& listen,
                           const std::optional<ResolverOptions>& resolver, const OrderedBy& by) {
  if (finishing_) return absl::UnavailableError("the broker stops");
  absl::Status status = listeners_->Replace(listen, *roles);
  if (!status.ok()) return status;
  RoleTable of_shard = *roles;
  {
    const std::lock_guard<std::mutex> lock(roles_mutex_);
    std::swap(roles_, *roles);
  }
  const uint64_t number = generation_.fetch_add(1, std::memory_order_acq_rel) + 1;
  first()->audit().PolicyLoaded(
      number, absl::StrCat("roles: ", roles_.roles().size(), ", listeners: ", listen.size()), by);
  first()->Adopt(number, &of_shard, resolver);
  return absl::OkStatus();
}

void Broker::NoteRejected(std::string detail, const OrderedBy& by) {
  first()->tasks().Post(
      [this, detail = std::move(detail), by] { first()->audit().PolicyRejected(detail, by); });
}

absl::StatusOr<UniqueFd> Broker::SwapAudit(UniqueFd fd) {
  for (const auto& shard : shards_) {
    if (!shard->tasks().Do([&] { shard->audit().Flush(); })) {
      return absl::UnavailableError("the broker has stopped");
    }
  }
  return sink_->Swap(std::move(fd));
}

absl::StatusOr<size_t> Broker::Revoke(const RevokeOrder& order, const OrderedBy& by) {
  size_t ended = 0;
  RevokeOrder::Met met;
  bool done = true;
  for (size_t i = 0; i < shards_.size() && done; ++i) {
    done = shards_[i]->tasks().Do([&] { ended += shards_[i]->server().Revoke(order, &met); });
  }
  absl::Status known;
  done = done && first()->tasks().Do([&] {
    known = order.Check(met, roles_);
    if (known.ok()) first()->audit().Revoked(order, ended, by);
  });
  if (!done) return absl::UnavailableError("the broker has stopped");
  if (!known.ok()) return known;
  return ended;
}

absl::StatusOr<BrokerStatus> Broker::GetStatus() {
  BrokerStatus status;
  bool done = first()->tasks().Do([&] {
    status.generation = generation();
    // Roles without a worker are told of too.
    for (const auto& [name, role] : roles_.roles()) {
      status.roles[name].mode = role->policy.mode();
      status.roles[name].rules = role->policy.rules().size();
    }
    status.listen = ListensAt();
    status.stopping = finishing_;
  });
  for (size_t i = 0; i < shards_.size() && done; ++i) {
    done = shards_[i]->tasks().Do([&] { shards_[i]->AddTo(&status); });
  }
  if (!done) return absl::UnavailableError("the broker has stopped");
  status.cage = cage_;
  status.started_at = started_;
  status.uptime =
      std::chrono::duration_cast<std::chrono::milliseconds>(EventLoop::Now() - started_steady_);
  status.threads = shards_.size();
  status.process = process_.Read();
  return status;
}

std::vector<ListenAt> Broker::ListensAt() const {
  std::vector<ListenAt> all;
  for (const auto& [path, listener] : listeners_->all()) all.push_back(listener->at());
  return all;
}

absl::Status Broker::FollowLauncher(UniqueFd control) {
  control_ = std::move(control);
  launcher_ = getppid();
  control_watch_ = first()->loop()->Watch(control_.get(), EPOLLIN, this, 0);
  if (!control_watch_.valid()) return absl::ErrnoToStatus(errno, "epoll_ctl");
  return absl::OkStatus();
}

void Broker::Run() {
  BlockSignalsOfWriting();
  std::vector<std::thread> threads;
  for (size_t i = 1; i < shards_.size(); ++i) {
    threads.push_back(StartWithoutSignals([shard = shards_[i].get()] { shard->Run(); }));
  }
  first()->Run();
  for (std::thread& thread : threads) thread.join();
}

void Broker::Stop() {
  for (const auto& shard : shards_) shard->loop()->Stop();
}

void Broker::FinishUp(std::chrono::milliseconds most) {
  finish_within_ = most.count();
  first()->loop()->Wake();
}

void Broker::RunAsProcess(std::initializer_list<int> stop_signals,
                          std::chrono::milliseconds finish) {
  RaiseDescriptorLimit();
  g_signalled = this;
  g_signalled_once = false;
  g_finish = finish;
  sigset_t held;
  sigemptyset(&held);
  for (const int number : stop_signals) {
    signal(number, StopSignalled);
    sigaddset(&held, number);
  }
  pthread_sigmask(SIG_UNBLOCK, &held, nullptr);
  Run();
  // Another one must not reach a broker that is being destroyed.
  for (const int number : stop_signals) signal(number, SIG_IGN);
}

// One packet: the name of a role, with the broker's end of the new worker's channel.
void Broker::OnEvent(uint64_t /*cookie*/, uint32_t /*epoll_events*/) {
  std::array<uint8_t, kMaxPacketBytes> name;
  Received order =
      ReceivePacket(control_.get(), absl::MakeSpan(name), Accept::kOneDescriptor, Wait::kNo);
  if (order.status == PacketStatus::kWouldBlock) return;
  if (order.status == PacketStatus::kClosed) {
    launcher_gone_ = true;
    first()->loop()->Unwatch(&control_watch_);
    return;
  }
  const absl::string_view role(reinterpret_cast<const char*>(name.data()), order.size);
  // An order that cannot be followed closes the channel, which the worker sees.
  if (roles_.Find(role) == nullptr || !order.fd.valid()) return;
  Place(std::move(order.fd), std::string{role}, {launcher_, getuid()});
}

bool Broker::HasRole(absl::string_view name) {
  const std::lock_guard<std::mutex> lock(roles_mutex_);
  return roles_.Find(name) != nullptr;
}

void Broker::AfterWakeup() {
  if (finish_within_ >= 0 && !finishing_) BeginToFinish();
  const bool deserted = launcher_gone_ && AllOf([](const Shard& one) { return one.load() == 0; });
  const bool finished = finishing_ && AllOf([](const Shard& one) { return one.finished(); });
  if (deserted || finished) Stop();
}

bool Broker::AllOf(bool (*is)(const Shard&)) const {
  return std::all_of(shards_.begin(), shards_.end(), [is](const auto& one) { return is(*one); });
}

// Who connects from now on must find another broker at the paths, or nobody.
void Broker::BeginToFinish() {
  finishing_ = true;
  if (on_finish_) on_finish_();
  listeners_.emplace(first()->loop(), this);
  const auto most = std::chrono::milliseconds(finish_within_);
  finish_latest_ = first()->loop()->SetDeadline(EventLoop::Now() + most, this, 0);
  first()->FinishUp();
  for (size_t i = 1; i < shards_.size(); ++i) {
    Shard* shard = shards_[i].get();
    shard->tasks().Post([shard] { shard->FinishUp(); });
  }
}

}  // namespace sockgate
