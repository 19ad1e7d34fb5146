#include "client/launch/pool/roster.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sockgate::launch {
namespace {

using Kind = Roster::Event::Kind;
using State = Seat::State;

// What an epoll event is about: one of these, or a worker's number and this much.
constexpr uint64_t kNews = 0;
constexpr uint64_t kTimer = 1;
constexpr uint64_t kFirstWorker = 2;

}  // namespace

absl::StatusOr<std::unique_ptr<Roster>> Roster::Make(size_t seats, Nursery nursery) {
  std::unique_ptr<Roster> roster(new Roster(std::move(nursery)));
  roster->epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  roster->timer_.Reset(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!roster->epoll_.valid() || !roster->timer_.valid() ||
      !roster->Watch(EPOLL_CTL_ADD, roster->nursery_.descriptor(), EPOLLIN, kNews) ||
      !roster->Watch(EPOLL_CTL_ADD, roster->timer_.get(), EPOLLIN, kTimer)) {
    return absl::ErrnoToStatus(errno, "a pool's epoll");
  }
  for (size_t i = 0; i < seats; ++i) roster->seats_.push_back(std::make_unique<Seat>());
  return roster;
}

bool Roster::Watch(int operation, int descriptor, uint32_t events, uint64_t tag) {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(epoll_.get(), operation, descriptor, &event) == 0;
}

absl::Status Roster::Start(Seat* seat, UniqueFd channel) {
  auto stream = seat->Open(++last_worker_);
  if (!stream.ok()) return stream.status();
  absl::Status status;
  if (!Watch(EPOLL_CTL_ADD, seat->stream(), EPOLLIN, kFirstWorker + seat->worker())) {
    status = absl::ErrnoToStatus(errno, "a worker's stream");
  } else {
    status = nursery_.Begin(seat->worker(), std::move(channel), *std::move(stream));
  }
  if (!status.ok()) seat->Leave();
  return status;
}

void Roster::Flush(Seat* seat) {
  if (seat->state() != State::kServing || (!seat->unsent() && !seat->watched)) return;
  seat->Flush();
  if (seat->unsent() == seat->watched) return;
  seat->watched = seat->unsent();
  const uint32_t events = seat->watched ? EPOLLIN | EPOLLOUT : EPOLLIN;
  Watch(EPOLL_CTL_MOD, seat->stream(), events, kFirstWorker + seat->worker());
}

void Roster::Close(Seat* seat) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, seat->stream(), nullptr);
  seat->Close();
}

void Roster::Kill(Seat* seat) {
  seat->kill_at = TimePoint::max();
  if (seat->ended()) return;
  if (absl::Status status = nursery_.Kill(seat->worker()); !status.ok()) status_ = status;
}

std::vector<Roster::Event> Roster::Wait(std::chrono::milliseconds wait) {
  std::array<epoll_event, 32> events;
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                               static_cast<int>(wait.count()));
  std::vector<Event> taken;
  for (int i = 0; i < count; ++i) {
    // The timer is set anew in any case.
    if (events[i].data.u64 == kTimer) continue;
    if (events[i].data.u64 == kNews) {
      TakeNews(&taken);
    } else {
      TakeStream(events[i].data.u64 - kFirstWorker, events[i].events, &taken);
    }
  }
  return taken;
}

// Before it serves, a worker has nothing to say; that it has closed its stream is news soon.
void Roster::TakeStream(uint64_t worker, uint32_t events, std::vector<Event>* taken) {
  Seat* seat = Find(worker);
  if (seat == nullptr || seat->state() != State::kServing) return;
  if ((events & EPOLLOUT) != 0) taken->push_back({Kind::kWritable, seat, ""});
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    taken->push_back({Kind::kReadable, seat, ""});
  }
}

void Roster::TakeNews(std::vector<Event>* taken) {
  while (true) {
    auto news = nursery_.Read();
    if (!news.ok()) status_ = news.status();
    if (!news.ok() || !news->has_value()) return;
    Seat* seat = Find((*news)->worker);
    if (seat == nullptr) continue;
    switch ((*news)->kind) {
      case Nursery::News::Kind::kStarted:
        seat->Serve();
        taken->push_back({Kind::kStarted, seat, (*news)->text});
        break;
      case Nursery::News::Kind::kFailed:
        seat->Leave();
        taken->push_back({Kind::kFailed, seat, (*news)->text});
        break;
      case Nursery::News::Kind::kEnded:
        seat->Ended((*news)->status);
        taken->push_back({Kind::kEnded, seat, ""});
        break;
    }
  }
}

void Roster::SetDue(TimePoint due) {
  itimerspec when = {};
  if (due != TimePoint::max()) {
    // 0 would be never.
    const auto since =
        std::max<std::chrono::nanoseconds>(due.time_since_epoch(), std::chrono::nanoseconds(1));
    when.it_value.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(since).count();
    when.it_value.tv_nsec = (since % std::chrono::seconds(1)).count();
  }
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

Seat* Roster::Find(uint64_t worker) const {
  const auto found = std::find_if(seats_.begin(), seats_.end(), [worker](const auto& seat) {
    return seat->state() != State::kEmpty && seat->worker() == worker;
  });
  return found == seats_.end() ? nullptr : found->get();
}

Seat* Roster::LeastLoaded(size_t fewer_than) const {
  Seat* best = nullptr;
  for (const auto& seat : seats_) {
    if (seat->state() != State::kServing || seat->retiring || seat->alone()) continue;
    if (seat->load().size() >= fewer_than) continue;
    if (best == nullptr || seat->load().size() < best->load().size()) best = seat.get();
  }
  return best;
}

size_t Roster::Count(State state) const {
  return static_cast<size_t>(std::count_if(
      seats_.begin(), seats_.end(), [state](const auto& seat) { return seat->state() == state; }));
}

size_t Roster::CountKilled() const {
  return static_cast<size_t>(std::count_if(seats_.begin(), seats_.end(), [](const auto& seat) {
    return seat->state() == State::kEnding && seat->kill_at == TimePoint::max() && !seat->ended();
  }));
}

}  // namespace sockgate::launch
