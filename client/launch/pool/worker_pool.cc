#include "client/launch/pool/worker_pool.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/pool/transfer_codec.h"

namespace sockgate::launch {
namespace {

using State = Seat::State;
using std::chrono::steady_clock;

// What an epoll event is about: one of these, or a worker's number and this much.
constexpr uint64_t kNews = 0;
constexpr uint64_t kTimer = 1;
constexpr uint64_t kFirstWorker = 2;

constexpr int kMostFailedStarts = 5;
constexpr std::chrono::milliseconds kStartPause{50};  // doubled with each that fails

std::string HowItEnded(const ExitStatus& status) {
  if (!status.signaled) return absl::StrCat("ended with code ", status.code_or_signal);
  const absl::string_view whose =
      status.code_or_signal == SIGSYS ? ", its filter's; the kernel's log names the call" : "";
  return absl::StrCat("was ended by signal ", status.code_or_signal, " (",
                      strsignal(status.code_or_signal), whose, ")");
}

// All that a worker may have said and the launcher not read.
uint64_t MostUnread(size_t jobs) {
  constexpr uint64_t kInTheKernel = 1024 * 1024;
  return kMaxUnsentBytes + kInTheKernel + jobs * (kMaxHeadPayload + kMaxResultPayload);
}

}  // namespace

absl::StatusOr<std::unique_ptr<WorkerPool>> WorkerPool::Start(Options options,
                                                              Callbacks callbacks) {
  if (!options.channel) return absl::InvalidArgumentError("a pool without channels");
  if (options.workers == 0 || options.jobs == 0) {
    return absl::InvalidArgumentError("a pool without workers or jobs");
  }
  if (options.max_time.count() <= 0 || options.grace.count() <= 0 ||
      options.max_time > kMaxTransferTime) {
    return absl::InvalidArgumentError("max_time and grace are from 1 ms, max_time to a week");
  }
  auto nursery = Nursery::Start({options.worker, options.jobs, options.ca_file, options.on_begin});
  if (!nursery.ok()) return nursery.status();
  std::unique_ptr<WorkerPool> pool(
      new WorkerPool(std::move(options), std::move(callbacks), *std::move(nursery)));
  if (absl::Status status = pool->MakeEpoll(); !status.ok()) return status;
  return pool;
}

WorkerPool::WorkerPool(Options options, Callbacks callbacks, Nursery nursery)
    : options_(std::move(options)), callbacks_(std::move(callbacks)), nursery_(std::move(nursery)) {
  for (size_t i = 0; i < options_.workers; ++i) seats_.push_back(std::make_unique<Seat>());
}

WorkerPool::~WorkerPool() = default;

absl::Status WorkerPool::MakeEpoll() {
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  timer_.Reset(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!epoll_.valid() || !timer_.valid() ||
      !Watch(EPOLL_CTL_ADD, nursery_.descriptor(), EPOLLIN, kNews) ||
      !Watch(EPOLL_CTL_ADD, timer_.get(), EPOLLIN, kTimer)) {
    return absl::ErrnoToStatus(errno, "a pool's epoll");
  }
  return absl::OkStatus();
}

bool WorkerPool::Watch(int operation, int descriptor, uint32_t events, uint64_t tag) {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(epoll_.get(), operation, descriptor, &event) == 0;
}

absl::StatusOr<TransferId> WorkerPool::Add(Transfer transfer) {
  if (!status_.ok()) return status_;
  if (absl::Status status = transfer.Check(); !status.ok()) return status;
  const bool longer = transfer.max_time.count() == 0 || transfer.max_time > options_.max_time;
  if (longer) transfer.max_time = options_.max_time;
  book_.Add(++last_id_, std::move(transfer));
  Ring();
  return last_id_;
}

bool WorkerPool::Cancel(TransferId id) {
  TransferEntry* entry = book_.Find(id);
  if (entry == nullptr) return false;
  if (entry->place != TransferEntry::Place::kUnderWay) {
    TransferResult result;
    result.fate = Fate::kCancelled;
    result.text = "cancelled";
    Finish(id, std::move(result));
  } else if (!entry->cancelled) {
    entry->cancelled = true;
    entry->deadline = std::min(entry->deadline, steady_clock::now() + options_.grace);
    if (Seat* seat = Find(entry->worker); seat != nullptr && seat->state() == State::kServing) {
      seat->Cancel(id);
      Flush(seat);
    }
  }
  Ring();
  return true;
}

absl::Status WorkerPool::Run() {
  constexpr std::chrono::seconds kWait{60};
  while (!idle()) {
    if (absl::Status status = Poll(kWait); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status WorkerPool::Poll(std::chrono::milliseconds wait) {
  if (!status_.ok()) return status_;
  Fill();
  SetTimer();
  std::array<epoll_event, 32> events;
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                               static_cast<int>(wait.count()));
  for (int i = 0; i < count; ++i) Handle(events[i].data.u64, events[i].events);
  CheckDeadlines();
  Fill();
  if (!status_.ok()) Fail();
  Tell();
  SetTimer();
  return status_;
}

// Suspects go first: each has kept an innocent waiting.
void WorkerPool::Fill() {
  if (!status_.ok()) return;
  RetireIdle();
  while (const auto id = book_.NextSuspect()) {
    Seat* seat = SeatForSuspect();
    if (seat == nullptr) break;
    Order(seat, *id);
  }
  while (const auto id = book_.NextWaiting()) {
    Seat* seat = SeatForWaiting();
    if (seat == nullptr) break;
    Order(seat, *id);
  }
  for (const auto& seat : seats_) Flush(seat.get());
  StartWorkers();
}

void WorkerPool::Flush(Seat* seat) {
  if (seat->state() != State::kServing || (!seat->unsent() && !seat->watched)) return;
  seat->Flush();
  if (seat->unsent() == seat->watched) return;
  seat->watched = seat->unsent();
  const uint32_t events = seat->watched ? EPOLLIN | EPOLLOUT : EPOLLIN;
  Watch(EPOLL_CTL_MOD, seat->stream(), events, kFirstWorker + seat->worker());
}

void WorkerPool::RetireIdle() {
  for (const auto& seat : seats_) {
    if (seat->state() == State::kServing && seat->retiring && seat->load().empty()) {
      Close(seat.get(), std::nullopt);
    }
  }
}

Seat* WorkerPool::SeatForSuspect() {
  for (const auto& seat : seats_) {
    const bool free = seat->state() == State::kServing && !seat->retiring && seat->load().empty();
    if (free) return seat.get();
  }
  return nullptr;
}

// The one with the least to do.
Seat* WorkerPool::SeatForWaiting() {
  Seat* best = nullptr;
  for (const auto& seat : seats_) {
    const bool free = seat->state() == State::kServing && !seat->retiring && !seat->alone() &&
                      seat->load().size() < options_.jobs;
    if (free && (best == nullptr || seat->load().size() < best->load().size())) best = seat.get();
  }
  return best;
}

void WorkerPool::Order(Seat* seat, TransferId id) {
  const TransferEntry& entry = *book_.Find(id);
  const TimePoint deadline = steady_clock::now() + entry.transfer.max_time + options_.grace;
  book_.Begin(id, seat->worker(), deadline);
  seat->Order(id, entry.transfer, entry.alone);
  if (options_.recycle_after != 0 && seat->ordered() >= options_.recycle_after) {
    seat->retiring = true;
  }
}

// As many as there is work for that those who are there have no room for.
void WorkerPool::StartWorkers() {
  if (steady_clock::now() < next_start_) return;
  size_t starting = 0;
  for (const auto& seat : seats_) starting += seat->state() == State::kStarting ? 1 : 0;
  for (const auto& seat : seats_) {
    if (starting >= book_.waiting()) return;
    if (seat->state() != State::kEmpty) continue;
    if (absl::Status status = StartWorker(seat.get()); !status.ok()) {
      NoteFailedStart(status);
      return;
    }
    ++starting;
  }
}

absl::Status WorkerPool::StartWorker(Seat* seat) {
  auto channel = options_.channel();
  if (!channel.ok()) return channel.status();
  auto stream = seat->Open(++last_worker_);
  if (!stream.ok()) return stream.status();
  absl::Status status = nursery_.Begin(seat->worker(), *std::move(channel), *std::move(stream));
  if (!status.ok()) {
    seat->Leave();
    return status;
  }
  if (Watch(EPOLL_CTL_ADD, seat->stream(), EPOLLIN, kFirstWorker + seat->worker())) {
    return absl::OkStatus();
  }
  status = absl::ErrnoToStatus(errno, "a worker's stream");
  Close(seat, std::nullopt);
  return status;
}

void WorkerPool::NoteFailedStart(const absl::Status& status) {
  next_start_ = steady_clock::now() + kStartPause * (1 << failed_starts_);
  if (++failed_starts_ < kMostFailedStarts) return;
  // Who adds more after this wants another attempt.
  failed_starts_ = 0;
  next_start_ = {};
  const bool others = std::any_of(seats_.begin(), seats_.end(), [](const auto& seat) {
    return seat->state() == State::kServing;
  });
  if (others) return;
  EndWithoutWorker(book_.Waiting(), absl::StrCat("no worker could be started: ", status.message()));
}

void WorkerPool::Handle(uint64_t tag, uint32_t events) {
  if (tag == kNews) {
    HandleNews();
  } else if (tag == kTimer) {
    uint64_t expirations;
    // SetTimer() sets it anew.
    if (read(timer_.get(), &expirations, sizeof(expirations)) < 0) return;
  } else if (Seat* seat = Find(tag - kFirstWorker)) {
    HandleStream(seat, events);
  }
}

void WorkerPool::HandleNews() {
  while (status_.ok()) {
    const auto news = nursery_.Read();
    if (!news.ok()) status_ = news.status();
    if (!news.ok() || !news->has_value()) return;
    Seat* seat = Find((*news)->worker);
    if (seat == nullptr) continue;
    switch ((*news)->kind) {
      case Nursery::News::Kind::kStarted:
        failed_starts_ = 0;
        if (seat->state() == State::kStarting) seat->Serve();
        break;
      case Nursery::News::Kind::kFailed:
        seat->Leave();
        NoteFailedStart(absl::UnavailableError((*news)->text));
        break;
      case Nursery::News::Kind::kEnded:
        seat->Ended((*news)->status);
        if (seat->state() == State::kEnding) Bury(seat);
        break;
    }
  }
}

// Before it serves, a worker has nothing to say; that it has closed its stream is news soon.
void WorkerPool::HandleStream(Seat* seat, uint32_t events) {
  if (seat->state() != State::kServing) return;
  if ((events & EPOLLOUT) != 0) Flush(seat);
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
  switch (seat->Receive()) {
    case Seat::Received::kNothing:
      return;
    case Seat::Received::kClosed:
      Close(seat, std::nullopt);
      return;
    case Seat::Received::kSome:
      TakeFrames(seat);
  }
}

void WorkerPool::TakeFrames(Seat* seat) {
  const char* fault = nullptr;
  Frame frame;
  while (fault == nullptr) {
    const FrameReader::Outcome outcome = seat->Next(&frame);
    if (outcome == FrameReader::Outcome::kMore) return;
    fault = outcome == FrameReader::Outcome::kBad ? seat->reader_fault() : TakeFrame(seat, frame);
  }
  Close(seat, Seat::Fault{Fate::kMisbehaved, absl::StrCat("sent what it may not: ", fault)});
}

const char* WorkerPool::TakeFrame(Seat* seat, const Frame& frame) {
  if (const char* fault = book_.Judge(frame, seat->worker())) return fault;
  if (frame.type == FrameType::kDone) return TakeResult(seat, frame);
  const bool wanted = !book_.Find(frame.id)->cancelled;
  if (frame.type == FrameType::kBody) {
    if (wanted && callbacks_.on_body) callbacks_.on_body(frame.id, frame.payload);
    return nullptr;
  }
  ResponseHead head;
  if (const char* fault = DecodeHead(frame.payload, &head)) return fault;
  if (wanted && callbacks_.on_head) callbacks_.on_head(frame.id, head);
  return nullptr;
}

const char* WorkerPool::TakeResult(Seat* seat, const Frame& frame) {
  TransferResult result;
  if (const char* fault = DecodeResult(frame.payload, &result)) return fault;
  const TransferEntry& entry = *book_.Find(frame.id);
  if (result.fate == Fate::kCancelled && !entry.cancelled) return "a cancellation of its own";
  if (entry.cancelled) result.fate = Fate::kCancelled;
  if (entry.transfer.output < 0) result.body_bytes = entry.body_bytes;
  // It would say the same of every other one.
  if (result.error.kind == ConnectError::Kind::kBrokerGone) seat->retiring = true;
  seat->Done(frame.id);
  Finish(frame.id, std::move(result));
  return nullptr;
}

// A caller who was slow may not have read an answer that was in time: then there are bytes. No more
// of them than a worker can have said by then, or it could say something for ever.
void WorkerPool::CheckDeadlines() {
  const TimePoint now = steady_clock::now();
  for (const auto& seat : seats_) {
    if (seat->state() != State::kServing) continue;
    const bool late = std::any_of(seat->load().begin(), seat->load().end(),
                                  [&](TransferId id) { return book_.Find(id)->deadline <= now; });
    if (!late) {
      seat->late_since.reset();
      continue;
    }
    if (!seat->late_since) seat->late_since = seat->received_bytes();
    const uint64_t since = seat->received_bytes() - *seat->late_since;
    if (seat->HasBytes() && since <= MostUnread(options_.jobs)) continue;
    Close(seat.get(), Seat::Fault{Fate::kHung, "did not answer in time"});
  }
}

// It is killed even if it closed its stream by itself: it may live on all the same. One that retires
// ends in the same way, since it holds nothing any more.
void WorkerPool::Close(Seat* seat, std::optional<Seat::Fault> fault) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, seat->stream(), nullptr);
  seat->Close(std::move(fault));
  if (seat->ended()) {
    Bury(seat);
  } else if (absl::Status status = nursery_.Kill(seat->worker()); !status.ok()) {
    status_ = status;
  }
}

void WorkerPool::Bury(Seat* seat) {
  for (const TransferId id : seat->load()) BuryTransfer(*seat, id);
  seat->Leave();
}

void WorkerPool::BuryTransfer(const Seat& seat, TransferId id) {
  const TransferEntry& entry = *book_.Find(id);
  TransferResult result;
  result.signal = seat.ended()->signaled && !seat.fault() ? seat.ended()->code_or_signal : 0;
  result.text =
      absl::StrCat("the worker ", seat.fault() ? seat.fault()->text : HowItEnded(*seat.ended()));
  if (entry.cancelled) {
    result.fate = Fate::kCancelled;
  } else if (entry.alone) {
    result.fate = seat.fault() ? seat.fault()->fate : Fate::kCrashed;
  } else if (!entry.transfer.IsIdempotent()) {
    result.fate = Fate::kInterrupted;
  } else {
    book_.Suspect(id);
    restarts_.push_back(id);
    return;
  }
  Finish(id, std::move(result));
}

void WorkerPool::Finish(TransferId id, TransferResult result) {
  const TransferEntry& entry = *book_.Find(id);
  result.id = id;
  result.attempts = entry.attempts;
  if (result.effective_url.empty()) result.effective_url = entry.transfer.url;
  book_.Erase(id);
  results_.push_back(std::move(result));
}

void WorkerPool::EndWithoutWorker(const std::vector<TransferId>& ids, absl::string_view why) {
  for (const TransferId id : ids) {
    TransferResult result;
    result.fate = Fate::kNoWorker;
    result.text = std::string(why);
    Finish(id, std::move(result));
  }
}

// The nursery has gone, and all workers have ended with it.
void WorkerPool::Fail() {
  for (const auto& seat : seats_) seat->Leave();
  restarts_.clear();
  EndWithoutWorker(book_.All(), status_.message());
}

// Callbacks may add to what is to be told: that is for the next time.
void WorkerPool::Tell() {
  for (const TransferId id : std::exchange(restarts_, {})) {
    if (callbacks_.on_restart && book_.Find(id) != nullptr) callbacks_.on_restart(id);
  }
  for (const TransferResult& result : std::exchange(results_, {})) {
    if (callbacks_.on_done) callbacks_.on_done(result);
  }
}

// For a caller whose loop watches descriptor().
void WorkerPool::Ring() {
  if (rung_) return;
  rung_ = true;
  itimerspec at_once = {};
  at_once.it_value.tv_nsec = 1;
  timerfd_settime(timer_.get(), 0, &at_once, nullptr);
}

void WorkerPool::SetTimer() {
  const TimePoint due = NextDue();
  itimerspec when = {};
  if (due != TimePoint::max()) {
    const auto since =
        std::max<std::chrono::nanoseconds>(due.time_since_epoch(), std::chrono::nanoseconds(1));
    when.it_value.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(since).count();
    when.it_value.tv_nsec = (since % std::chrono::seconds(1)).count();
  }
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
  rung_ = false;
}

TimePoint WorkerPool::NextDue() const {
  if (!results_.empty() || !restarts_.empty()) return TimePoint();
  TimePoint due = TimePoint::max();
  size_t starting = 0;
  bool empty = false;
  for (const auto& seat : seats_) {
    starting += seat->state() == State::kStarting ? 1 : 0;
    empty |= seat->state() == State::kEmpty;
    if (seat->state() != State::kServing) continue;
    for (const TransferId id : seat->load()) due = std::min(due, book_.Find(id)->deadline);
  }
  return empty && book_.waiting() > starting ? std::min(due, next_start_) : due;
}

Seat* WorkerPool::Find(uint64_t worker) {
  const auto found = std::find_if(seats_.begin(), seats_.end(), [worker](const auto& seat) {
    return seat->state() != State::kEmpty && seat->worker() == worker;
  });
  return found == seats_.end() ? nullptr : found->get();
}

}  // namespace sockgate::launch
