#include "client/launch/pool/worker_pool.h"

#include <signal.h>
#include <string.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/pool/transfer_codec.h"

namespace sockgate::launch {
namespace {

using State = Seat::State;
using std::chrono::steady_clock;

// Their orders and their news have room in the nursery's socket, so that neither side of it waits
// for the other.
constexpr size_t kMostStarting = 32;
constexpr size_t kMostKilled = 32;
constexpr int kMostFailedStarts = 5;
constexpr std::chrono::milliseconds kStartPause{50};  // doubled with each that fails

std::string HowItEnded(const ExitStatus& status) {
  if (!status.signaled) return absl::StrCat("ended with code ", status.code_or_signal);
  const absl::string_view whose =
      status.code_or_signal == SIGSYS ? ", its filter's; the kernel's log names the call" : "";
  return absl::StrCat("was ended by signal ", status.code_or_signal, " (",
                      strsignal(status.code_or_signal), whose, ")");
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
  auto nursery = Nursery::Start({options.worker, options.jobs, options.ca_file, options.load_trust,
                                 options.on_begin, options.connecting});
  if (!nursery.ok()) return nursery.status();
  auto roster = Roster::Make(options.workers, *std::move(nursery));
  if (!roster.ok()) return roster.status();
  return std::unique_ptr<WorkerPool>(
      new WorkerPool(std::move(options), std::move(callbacks), *std::move(roster)));
}

WorkerPool::WorkerPool(Options options, Callbacks callbacks, std::unique_ptr<Roster> roster)
    : options_(std::move(options)), callbacks_(std::move(callbacks)), roster_(std::move(roster)) {}

WorkerPool::~WorkerPool() = default;

absl::StatusOr<TransferId> WorkerPool::Add(Transfer transfer) {
  if (failed_) return roster_->status();
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
    Seat* seat = roster_->Find(entry->worker);
    if (seat != nullptr && seat->state() == State::kServing) {
      seat->Cancel(id);
      roster_->Flush(seat);
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
  if (failed_) return roster_->status();
  Fill();
  SetTimer();
  for (const Roster::Event& event : roster_->Wait(wait)) Handle(event);
  CheckDeadlines();
  Fill();
  if (!roster_->status().ok()) Fail();
  Tell();
  Fill();  // with what the callbacks have added
  SetTimer();
  return roster_->status();
}

// Suspects go first: each has kept an innocent waiting.
void WorkerPool::Fill() {
  if (!roster_->status().ok()) return;
  RetireIdle();
  while (const auto id = book_.NextSuspect()) {
    Seat* seat = roster_->LeastLoaded(1);
    if (seat == nullptr) break;
    Order(seat, *id);
  }
  while (const auto id = book_.NextWaiting()) {
    Seat* seat = roster_->LeastLoaded(options_.jobs);
    if (seat == nullptr) break;
    Order(seat, *id);
  }
  for (const auto& seat : roster_->seats()) roster_->Flush(seat.get());
  StartWorkers();
}

void WorkerPool::RetireIdle() {
  for (const auto& seat : roster_->seats()) {
    if (seat->state() == State::kServing && seat->retiring && seat->load().empty()) {
      Close(seat.get());
    }
  }
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
  size_t starting = roster_->Count(State::kStarting);
  for (const auto& seat : roster_->seats()) {
    if (starting >= std::min(book_.waiting(), kMostStarting)) return;
    if (seat->state() != State::kEmpty) continue;
    if (absl::Status status = StartWorker(seat.get()); !status.ok()) {
      NoteFailedStart(status.message());
      return;
    }
    ++starting;
  }
}

absl::Status WorkerPool::StartWorker(Seat* seat) {
  auto channel = options_.channel();
  return channel.ok() ? roster_->Start(seat, *std::move(channel)) : channel.status();
}

void WorkerPool::NoteFailedStart(absl::string_view why) {
  next_start_ = steady_clock::now() + kStartPause * (1 << failed_starts_);
  if (++failed_starts_ < kMostFailedStarts) return;
  // Who adds more after this wants another attempt.
  failed_starts_ = 0;
  next_start_ = {};
  if (roster_->Count(State::kServing) > 0) return;
  EndWithoutWorker(book_.Waiting(), absl::StrCat("no worker could be started: ", why));
}

void WorkerPool::Handle(const Roster::Event& event) {
  switch (event.kind) {
    case Roster::Event::Kind::kStarted:
      failed_starts_ = 0;
      if (callbacks_.on_worker) callbacks_.on_worker(event.text);
      break;
    case Roster::Event::Kind::kFailed:
      NoteFailedStart(event.text);
      break;
    case Roster::Event::Kind::kReadable:
      Receive(event.seat);
      break;
    case Roster::Event::Kind::kWritable:
      roster_->Flush(event.seat);
      break;
    case Roster::Event::Kind::kEnded:
      // Otherwise there may be something left to read.
      if (event.seat->state() == State::kEnding) Bury(event.seat);
      break;
  }
}

void WorkerPool::Receive(Seat* seat) {
  if (seat->state() != State::kServing) return;
  switch (seat->Receive()) {
    case Seat::Received::kNothing:
      return;
    case Seat::Received::kClosed:
      Close(seat);
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
  Condemn(seat, {Fate::kMisbehaved, absl::StrCat("sent what it may not: ", fault)});
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

void WorkerPool::CheckDeadlines() {
  size_t killed = roster_->CountKilled();
  for (const auto& seat : roster_->seats()) {
    CheckSeat(seat.get());
    // The rest have their turn when these have been reaped.
    if (killed >= kMostKilled || !IsDue(*seat)) continue;
    roster_->Kill(seat.get());
    ++killed;
  }
}

void WorkerPool::CheckSeat(Seat* seat) {
  if (seat->state() == State::kServing &&
      seat->Hangs(HasLate(*seat), options_.grace, options_.jobs)) {
    Condemn(seat, {Fate::kHung, "did not answer in time"});
  }
  if (IsDue(*seat) && !seat->fault()) {
    seat->Blame({Fate::kMisbehaved, "closed its stream and lived on"});
  }
}

bool WorkerPool::IsDue(const Seat& seat) {
  return seat.state() == State::kEnding && seat.kill_at <= steady_clock::now();
}

bool WorkerPool::HasLate(const Seat& seat) const {
  const TimePoint now = steady_clock::now();
  return std::any_of(seat.load().begin(), seat.load().end(),
                     [&](TransferId id) { return book_.Find(id)->deadline <= now; });
}

// How a worker ended that closed its stream is seen when it has: one in a namespace of its own is
// reaped by another process first, and to kill that would hide it.
void WorkerPool::Close(Seat* seat) {
  if (seat->state() == State::kServing) roster_->Close(seat);
  seat->kill_at = steady_clock::now() + options_.grace;
  if (seat->ended()) Bury(seat);
}

// CheckDeadlines() has it killed.
void WorkerPool::Condemn(Seat* seat, Seat::Fault fault) {
  seat->Blame(std::move(fault));
  Close(seat);
  if (seat->state() == State::kEnding) seat->kill_at = TimePoint();
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
    result.text = absl::StrCat(why);
    Finish(id, std::move(result));
  }
}

// The nursery has gone, and all workers have ended with it.
void WorkerPool::Fail() {
  failed_ = true;
  for (const auto& seat : roster_->seats()) seat->Leave();
  restarts_.clear();
  EndWithoutWorker(book_.All(), roster_->status().message());
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
  if (!std::exchange(rung_, true)) roster_->SetDue(TimePoint());
}

void WorkerPool::SetTimer() {
  roster_->SetDue(NextDue());
  rung_ = false;
}

TimePoint WorkerPool::NextDue() const {
  if (!results_.empty() || !restarts_.empty()) return TimePoint();
  TimePoint due = TimePoint::max();
  const bool may_kill = roster_->CountKilled() < kMostKilled;
  for (const auto& seat : roster_->seats()) {
    if (seat->state() == State::kEnding && may_kill) due = std::min(due, seat->kill_at);
    if (seat->state() != State::kServing) continue;
    if (seat->late_since()) {
      due = std::min(due, *seat->late_since() + options_.grace);
      continue;
    }
    for (const TransferId id : seat->load()) due = std::min(due, book_.Find(id)->deadline);
  }
  const bool may_start =
      roster_->Count(State::kEmpty) > 0 &&
      std::min(book_.waiting(), kMostStarting) > roster_->Count(State::kStarting);
  return may_start ? std::min(due, next_start_) : due;
}

}  // namespace sockgate::launch
