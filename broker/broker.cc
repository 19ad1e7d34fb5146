#include "broker/broker.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/limits.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

// An audit log whose reader has gone must show as EPIPE, and one that is as large as a file may be as
// EFBIG, and not end the process.
void BlockWritingSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  sigaddset(&set, SIGXFSZ);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

// Sockets on their way need descriptors, and descriptors in flight are limited by the same number.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  if (limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

NameServing NamesFrom(NameSource* source, const TtlBounds& ttl) {
  NameServing serving;
  serving.source = source;
  serving.ttl = ttl;
  return serving;
}

Broker* g_signalled = nullptr;

void StopSignalled(int /*signal*/) { g_signalled->Stop(); }

}  // namespace

absl::StatusOr<std::unique_ptr<Broker>> Broker::Create(BrokerOptions options) {
  auto roles = RoleTable::Make(std::move(options.roles));
  if (!roles.ok()) return roles.status();
  std::unique_ptr<ResolverSupply> supply;
  if (options.resolver.has_value()) {
    // Before anything else is open that the child would have to close.
    auto keeper = ResolverKeeper::Start(*options.resolver, options.cage);
    if (!keeper.ok()) return keeper.status();
    supply = std::make_unique<KeptResolvers>(*std::move(keeper));
  }
  auto loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  std::unique_ptr<ResolverLink> link;
  if (supply != nullptr) {
    link = std::make_unique<ResolverLink>(loop->get(), std::move(supply));
    if (const int error = link->Begin()) return absl::ErrnoToStatus(error, "epoll_ctl");
  }
  auto broker = std::unique_ptr<Broker>(new Broker(*std::move(roles), std::move(options.audit),
                                                   *std::move(loop), std::move(link),
                                                   options.resolver, options.cage));
  broker->audit_.SetOverflow(options.audit_overflow);
  return broker;
}

Broker::Broker(RoleTable roles, UniqueFd audit, std::unique_ptr<EventLoop> loop,
               std::unique_ptr<ResolverLink> resolver,
               const std::optional<ResolverOptions>& resolver_options, confine::CageLevel level)
    : cage_level_(level),
      first_resolver_(resolver_options),
      cage_(LookAtCage(confine::CageLevel::kNone, 0)),
      audit_(std::move(audit)),
      loop_(std::move(loop)),
      resolver_(std::move(resolver)),
      server_(loop_.get(), &net_, &audit_,
              NamesFrom(resolver_.get(), resolver_options.value_or(ResolverOptions()).ttl)),
      listeners_(loop_.get(), &server_),
      roles_(std::move(roles)),
      tasks_(loop_.get()) {
  if (resolver_ != nullptr) resolver_->SetLog(&audit_);
}

Broker::~Broker() { loop_->Unwatch(&control_watch_); }

absl::Status Broker::Listen(const ListenAt& at, UniqueFd inherited) {
  return listeners_.Add(at, roles_, std::move(inherited));
}

void Broker::BeatEvery(std::chrono::microseconds period, std::function<void()> beat) {
  heartbeat_.emplace(loop_.get(), period, std::move(beat));
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
  audit_.Cage(cage_);
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> Broker::AddWorker(absl::string_view role) {
  if (!HasRole(role)) return absl::NotFoundError(absl::StrCat("no role is named ", role));
  auto pair = MakeChannelPair();
  if (!pair.has_value()) return absl::ErrnoToStatus(errno, "cannot make a channel");
  auto serve = [this, channel = std::move(pair->broker), name = std::string{role}]() mutable {
    RoleSnapshot found = roles_.Find(name);
    // A reload may have been faster.
    if (found == nullptr) found = RoleTable::Removed(std::move(name), Limits());
    server_.AddWorker(std::move(channel), std::move(found), {getpid(), getuid()});
  };
  tasks_.Post(std::move(serve));
  return std::move(pair->worker);
}

absl::Status Broker::Replace(std::vector<Role> roles, std::vector<ListenAt> listen,
                             const std::optional<ResolverOptions>& resolver, const OrderedBy& by) {
  auto table = RoleTable::Make(std::move(roles));
  if (!table.ok()) return table.status();
  absl::Status status = Listeners::Check(listen, *table);
  if (status.ok() && bounds_.has_value()) status = bounds_->Check(*table, listen, resolver);
  if (status.ok() && resolver.has_value()) status = CheckResolverOptions(*resolver);
  if (!status.ok()) return status;
  const bool done = tasks_.Do([&] { status = Apply(&*table, listen, resolver, by); });
  if (!done) return absl::UnavailableError("the broker has stopped");
  return bounds_.has_value() ? CageBounds::Explain(status) : status;
}

absl::Status Broker::Apply(RoleTable* roles, const std::vector<ListenAt>& listen,
                           const std::optional<ResolverOptions>& resolver, const OrderedBy& by) {
  absl::Status status = listeners_.Replace(listen, *roles);
  if (!status.ok()) return status;
  {
    const std::lock_guard<std::mutex> lock(roles_mutex_);
    std::swap(roles_, *roles);
  }
  const uint64_t number = generation_.fetch_add(1, std::memory_order_acq_rel) + 1;
  audit_.PolicyLoaded(
      number, absl::StrCat("roles: ", roles_.roles().size(), ", listeners: ", listen.size()), by);
  const bool renewed = resolver.has_value() && RestartResolver(*resolver);
  server_.Adopt(roles_, renewed ? &resolver->ttl : nullptr);
  return absl::OkStatus();
}

// A policy without the resolver that it asks for still is the policy; the log tells what is
// missing.
bool Broker::RestartResolver(const ResolverOptions& options) {
  if (resolver_ == nullptr) return false;
  const absl::Status status = resolver_->Restart(options);
  if (!status.ok()) audit_.Resolver("not-replaced", status.message());
  return status.ok();
}

void Broker::NoteRejected(std::string detail, const OrderedBy& by) {
  tasks_.Post([this, detail = std::move(detail), by] { audit_.PolicyRejected(detail, by); });
}

absl::StatusOr<UniqueFd> Broker::SwapAudit(UniqueFd fd) {
  UniqueFd before;
  if (tasks_.Do([&] { before = audit_.Swap(std::move(fd)); })) return before;
  return absl::UnavailableError("the broker has stopped");
}

absl::Status Broker::SetAuditOverflow(AuditOverflow overflow) {
  if (tasks_.Do([&] { audit_.SetOverflow(overflow); })) return absl::OkStatus();
  return absl::UnavailableError("the broker has stopped");
}

absl::StatusOr<BrokerStatus> Broker::GetStatus() {
  BrokerStatus status;
  if (tasks_.Do([&] { status = MakeStatus(); })) return status;
  return absl::UnavailableError("the broker has stopped");
}

BrokerStatus Broker::MakeStatus() const {
  BrokerStatus status;
  status.generation = generation();
  std::map<std::string, Server::Crowd> crowds = server_.Crowds();
  // Roles without a worker are told of too.
  for (const auto& [name, role] : roles_.roles()) crowds[name].role = role;
  for (const auto& [name, crowd] : crowds) {
    const Policy& policy = crowd.role->policy;
    status.roles.push_back({name, policy.mode(), roles_.Find(name) == nullptr,
                            policy.rules().size(), crowd.workers, crowd.channels});
  }
  status.listen = ListensAt();
  status.cage = cage_;
  if (resolver_ != nullptr) status.resolver = {resolver_->state(), server_.questions()};
  return status;
}

std::vector<ListenAt> Broker::ListensAt() const {
  std::vector<ListenAt> all;
  for (const auto& [path, listener] : listeners_.all()) all.push_back(listener->at());
  return all;
}

absl::Status Broker::FollowLauncher(UniqueFd control) {
  control_ = std::move(control);
  launcher_ = getppid();
  control_watch_ = loop_->Watch(control_.get(), EPOLLIN, this, 0);
  if (!control_watch_.valid()) return absl::ErrnoToStatus(errno, "epoll_ctl");
  return absl::OkStatus();
}

void Broker::Run() {
  BlockWritingSignals();
  tasks_.Begin();
  loop_->Run([this] { AfterWakeup(); });
  tasks_.End();
}

void Broker::Stop() { loop_->Stop(); }

void Broker::RunAsProcess(std::initializer_list<int> stop_signals) {
  RaiseDescriptorLimit();
  g_signalled = this;
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
    loop_->Unwatch(&control_watch_);
    return;
  }
  RoleSnapshot role = roles_.Find({reinterpret_cast<const char*>(name.data()), order.size});
  // An order that cannot be followed closes the channel, which the worker sees.
  if (role == nullptr || !order.fd.valid()) return;
  server_.AddWorker(std::move(order.fd), std::move(role), {launcher_, getuid()});
}

bool Broker::HasRole(absl::string_view name) {
  const std::lock_guard<std::mutex> lock(roles_mutex_);
  return roles_.Find(name) != nullptr;
}

void Broker::AfterWakeup() {
  tasks_.RunAll();
  // After whatever may have written a line to the log.
  server_.AfterWakeup();
  if (launcher_gone_ && server_.channels() == 0) Stop();
}

}  // namespace sockgate
