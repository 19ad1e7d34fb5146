#include "broker/broker.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "proto/limits.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

absl::Status CheckRole(const Role& role) {
  if (role.name.empty() || role.name.size() > kMaxPacketBytes) {
    return absl::InvalidArgumentError("a role needs a name of 1 to 1024 bytes");
  }
  const uint16_t outstanding = role.limits.max_outstanding;
  if (outstanding == 0 || outstanding > kMaxOutstanding) {
    return absl::InvalidArgumentError(
        absl::StrCat("role ", role.name, ": max_outstanding must be 1 to ", kMaxOutstanding));
  }
  return absl::OkStatus();
}

// An audit log whose reader has gone must show as EPIPE, not end the process.
void BlockBrokenPipeSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

// Sockets on their way need descriptors, and descriptors in flight are limited by the same number.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Broker* g_signalled = nullptr;

void StopSignalled(int /*signal*/) { g_signalled->Stop(); }

}  // namespace

absl::StatusOr<std::unique_ptr<Broker>> Broker::Create(BrokerOptions options) {
  if (options.roles.empty()) return absl::InvalidArgumentError("a broker needs a role");
  for (const Role& role : options.roles) {
    if (absl::Status status = CheckRole(role); !status.ok()) return status;
    for (const Role& other : options.roles) {
      if (&other != &role && other.name == role.name) {
        return absl::InvalidArgumentError(absl::StrCat("two roles are named ", role.name));
      }
    }
  }
  auto loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  auto broker = std::unique_ptr<Broker>(new Broker(std::move(options)));
  broker->loop_ = *std::move(loop);
  broker->server_ = std::make_unique<Server>(broker->loop_.get(), &broker->net_, &broker->audit_);
  return broker;
}

Broker::Broker(BrokerOptions options)
    : roles_(std::move(options.roles)), audit_(std::move(options.audit)) {}

Broker::~Broker() { loop_->Unwatch(&control_watch_); }

absl::Status Broker::Listen(const std::string& path, absl::string_view role) {
  const Role* found = FindRole(role);
  if (found == nullptr) return absl::NotFoundError(absl::StrCat("no role is named ", role));
  auto listener = Listener::Create(path, found, loop_.get(), server_.get());
  if (!listener.ok()) return listener.status();
  listeners_.push_back(*std::move(listener));
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> Broker::AddWorker(absl::string_view role) {
  const Role* found = FindRole(role);
  if (found == nullptr) return absl::NotFoundError(absl::StrCat("no role is named ", role));
  auto pair = MakeChannelPair();
  if (!pair.has_value()) return absl::ErrnoToStatus(errno, "cannot make a channel");
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    new_workers_.push_back({std::move(pair->broker), found});
  }
  loop_->Wake();
  return std::move(pair->worker);
}

absl::Status Broker::FollowLauncher(UniqueFd control) {
  control_ = std::move(control);
  launcher_ = getppid();
  control_watch_ = loop_->Watch(control_.get(), EPOLLIN, this, 0);
  if (!control_watch_.valid()) return absl::ErrnoToStatus(errno, "epoll_ctl");
  return absl::OkStatus();
}

void Broker::Run() {
  BlockBrokenPipeSignal();
  loop_->Run([this] { AfterWakeup(); });
}

void Broker::Stop() { loop_->Stop(); }

void Broker::RunAsProcess(std::initializer_list<int> stop_signals) {
  RaiseDescriptorLimit();
  g_signalled = this;
  for (const int number : stop_signals) signal(number, StopSignalled);
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
  const Role* role = FindRole({reinterpret_cast<const char*>(name.data()), order.size});
  // An order that cannot be followed closes the channel, which the worker sees.
  if (role == nullptr || !order.fd.valid()) return;
  server_->AddWorker(std::move(order.fd), role, {launcher_, getuid()});
}

const Role* Broker::FindRole(absl::string_view name) const {
  for (const Role& role : roles_) {
    if (role.name == name) return &role;
  }
  return nullptr;
}

void Broker::AfterWakeup() {
  std::vector<NewWorker> added;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    added.swap(new_workers_);
  }
  for (NewWorker& worker : added) {
    server_->AddWorker(std::move(worker.channel), worker.role, {getpid(), getuid()});
  }
  // After whatever may have written a line to the log.
  server_->AfterWakeup();
  if (launcher_gone_ && server_->channels() == 0) Stop();
}

}  // namespace sockgate
