#include "tests/support/http_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace sockgate::testing {
namespace {

constexpr uint64_t kListenerId = 0;
constexpr uint64_t kWakeId = 1;
constexpr uint64_t kFirstClientId = 2;
constexpr size_t kEventsPerWait = 256;
constexpr int kAcceptsPerEvent = 64;
constexpr std::chrono::milliseconds kAcceptPause{10};

}  // namespace

HttpLoop::HttpLoop(UniqueFd listener, size_t max_connections, StreamFactory make_stream,
                   HttpCounters* counters)
    : listener_(std::move(listener)),
      max_connections_(max_connections),
      make_stream_(std::move(make_stream)),
      counters_(counters),
      next_id_(kFirstClientId),
      now_(Clock::now()) {}

absl::Status HttpLoop::Open() {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  wake_.Reset(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!epoll_.valid() || !wake_.valid() ||
      !Watch(EPOLL_CTL_ADD, listener_.get(), kListenerId, EPOLLIN) ||
      !Watch(EPOLL_CTL_ADD, wake_.get(), kWakeId, EPOLLIN)) {
    return absl::ErrnoToStatus(errno, "setting up the event loop");
  }
  return absl::OkStatus();
}

void HttpLoop::Run() {
  std::array<epoll_event, kEventsPerWait> events{};
  for (bool stop = false; !stop;) {
    const int count =
        epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), PollTimeout());
    now_ = Clock::now();
    for (int i = 0; i < count; ++i) {
      const Id id = events[static_cast<size_t>(i)].data.u64;
      if (id == kWakeId) stop = true;
      if (id == kListenerId) Accept();
      if (id >= kFirstClientId) AdvanceClient(id, events[static_cast<size_t>(i)].events);
    }
    RunTimers();
  }
  while (!clients_.empty()) Remove(clients_.begin());
  // A forked child may hold the listener too; the port must be closed all the same.
  shutdown(listener_.get(), SHUT_RDWR);
  listener_.Reset();
}

void HttpLoop::Wake() {
  // Fails only when the counter is full, and then the loop is awake already.
  (void)eventfd_write(wake_.get(), 1);
}

int HttpLoop::PollTimeout() const {
  std::optional<Clock::time_point> next = accept_again_at_;
  if (!timers_.empty()) {
    next = std::min(next.value_or(Clock::time_point::max()), timers_.begin()->first);
  }
  if (!next) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now());
  return static_cast<int>(std::max<int64_t>(left.count(), 0));
}

void HttpLoop::Accept() {
  for (int i = 0; i < kAcceptsPerEvent; ++i) {
    if (clients_.size() >= max_connections_) return PauseAccepting();
    if (!AcceptOne()) return;
  }
}

// False when nobody waits, or when no more can be taken at the moment.
bool HttpLoop::AcceptOne() {
  UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket.valid()) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) PauseAccepting();
    return errno == ECONNABORTED || errno == EINTR;
  }
  counters_->connections_accepted.fetch_add(1, std::memory_order_relaxed);
  const int fd = socket.get();
  auto stream = make_stream_(std::move(socket));
  const Id id = next_id_++;
  if (stream == nullptr || !Watch(EPOLL_CTL_ADD, fd, id, EPOLLIN)) return true;
  counters_->connections_open.fetch_add(1, std::memory_order_relaxed);
  clients_.emplace(
      id, Client{fd, HttpConnection(std::move(stream), &counters_->requests_served), EPOLLIN, {}});
  return true;
}

// The listener stays readable meanwhile, and would otherwise keep the loop spinning.
void HttpLoop::PauseAccepting() {
  Watch(EPOLL_CTL_MOD, listener_.get(), kListenerId, 0);
  accept_again_at_ = now_ + kAcceptPause;
}

void HttpLoop::ResumeAccepting() {
  accept_again_at_.reset();
  Watch(EPOLL_CTL_MOD, listener_.get(), kListenerId, EPOLLIN);
}

void HttpLoop::AdvanceClient(Id id, uint32_t events) {
  const auto client = clients_.find(id);
  if (client == clients_.end()) return;
  client->second.connection.Advance(events, now_);
  Settle(client);
}

void HttpLoop::RunTimers() {
  if (accept_again_at_ && *accept_again_at_ <= now_) ResumeAccepting();
  // A connection that yields gets a timer of now_; only those that wait already have their turn.
  std::vector<Id> due;
  for (const auto& [when, id] : timers_) {
    if (when > now_) break;
    due.push_back(id);
  }
  for (const Id id : due) AdvanceClient(id, 0);
}

// Brings epoll and the timers in line with what the connection waits for.
void HttpLoop::Settle(Clients::iterator client) {
  auto& [id, state] = *client;
  const HttpConnection& connection = state.connection;
  if (connection.done()) return Remove(client);
  if (state.armed_events != connection.interest()) {
    state.armed_events = connection.interest();
    Watch(EPOLL_CTL_MOD, state.fd, id, state.armed_events);
  }
  if (state.armed_wake == connection.wake_at()) return;
  if (state.armed_wake) timers_.erase({*state.armed_wake, id});
  state.armed_wake = connection.wake_at();
  if (state.armed_wake) timers_.emplace(*state.armed_wake, id);
}

void HttpLoop::Remove(Clients::iterator client) {
  const auto& [id, state] = *client;
  // Explicitly, since a duplicate in a forked child would keep the registration alive.
  Watch(EPOLL_CTL_DEL, state.fd, id, 0);
  if (state.armed_wake) timers_.erase({*state.armed_wake, id});
  clients_.erase(client);
  counters_->connections_open.fetch_sub(1, std::memory_order_relaxed);
}

bool HttpLoop::Watch(int operation, int fd, Id id, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  return epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
}

}  // namespace sockgate::testing
