#include "broker/session.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "broker/refusal.h"
#include "proto/check.h"
#include "proto/codec.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

// How soon to try again when the user has too many descriptors in flight: others must read first.
constexpr std::chrono::milliseconds kInFlightRetry(5);

// Cookies of the two deadlines.
constexpr uint64_t kRetry = 0;
constexpr uint64_t kUnread = 1;

constexpr uint32_t kReading = EPOLLIN;
constexpr uint32_t kWritingOnly = EPOLLOUT;
constexpr uint32_t kNothing = 0;  // epoll still reports the end

}  // namespace

// Which message is legal in which phase, in the order of Request::body.
struct Session::LegalOrder {
  Phase phase;
  void (Session::*handler)(const Request&);

  static const std::array<LegalOrder, std::variant_size_v<decltype(Request::body)>> kTable;
};

const std::array<Session::LegalOrder, 4> Session::LegalOrder::kTable = {{
    {Phase::kGreeting, &Session::OnHello},
    {Phase::kOpen, &Session::OnConnect},
    {Phase::kOpen, &Session::OnResolve},
    {Phase::kOpen, &Session::OnOpenChannel},
}};

Session::Session(const SessionContext& context, std::shared_ptr<WorkerRecord> worker, uint64_t id,
                 UniqueFd channel, Phase phase)
    : context_(context),
      worker_(std::move(worker)),
      id_(id),
      channel_(std::move(channel)),
      phase_(phase),
      waiting_(&worker_->waiting),
      place_(this) {}

Session::~Session() {
  context_.loop->Unwatch(&watch_);
  context_.loop->Cancel(&retry_);
  context_.loop->Cancel(&unread_);
}

int Session::Begin() {
  watch_ = context_.loop->Watch(channel_.get(), kReading, this, 0);
  if (!watch_.valid()) return errno;
  context_.audit->Channel(*worker_, id_, "opened", {});
  return 0;
}

void Session::OnEvent(uint64_t /*cookie*/, uint32_t epoll_events) {
  if (phase_ == Phase::kEnded) return;
  if ((epoll_events & (EPOLLHUP | EPOLLERR)) != 0) {
    // Nobody is left to read a reply, so what may still be queued is not worth a connect.
    End("closed", {});
  } else if (!waiting_.empty()) {
    SendWaiting();
  } else if (!context_.backlog->TakeTurn(worker_.get())) {
    JoinBacklog();
  } else if (ReadOne(context_.backlog->crowded()) && MayBeRead()) {
    JoinBacklog();
  }
}

Queued::Turn Session::TakeTurn() {
  const bool more = ReadOne(/*look=*/true);
  if (!place_.queued()) return Turn::kOver;
  return more ? Turn::kMore : Turn::kNoMore;
}

bool Session::MayBeRead() const { return phase_ != Phase::kEnded && waiting_.empty(); }

bool Session::HasMore() const {
  pollfd readable = {channel_.get(), POLLIN, 0};
  return poll(&readable, 1, 0) == 1;
}

void Session::JoinBacklog() {
  context_.loop->Change(watch_, kNothing);
  context_.backlog->Add(&place_, worker_.get());
}

void Session::Leave() {
  context_.backlog->Remove(&place_, worker_.get());
  context_.loop->Change(watch_, kReading);
}

void Session::OnDeadline(uint64_t cookie) {
  if (phase_ == Phase::kEnded) return;
  if (cookie == kUnread) {
    Violation("unread replies");
  } else {
    SendWaiting();
  }
}

bool Session::ReadOne(bool look) {
  std::array<uint8_t, kMaxPacketBytes> buffer;
  const Received received =
      ReceivePacket(channel_.get(), absl::MakeSpan(buffer), Accept::kNoDescriptor, Wait::kNo);
  // Before the reply: whoever asks for one thing at a time may have read it by then, and asked again.
  const bool more = look && HasMore();
  switch (received.status) {
    case PacketStatus::kOk:
      Handle(absl::MakeConstSpan(buffer.data(), received.size));
      break;
    case PacketStatus::kWouldBlock:
      break;
    case PacketStatus::kClosed:
      End("closed", {});
      break;
    case PacketStatus::kDescriptors:
      Violation("descriptors");
      break;
    case PacketStatus::kTruncated:
      Violation("packet too long");
      break;
    default:
      End("broken", strerror(received.error));
      break;
  }
  EndIfBroken();
  return more;
}

void Session::Handle(absl::Span<const uint8_t> packet) {
  Request request;
  const Decoded decoded = DecodeRequest(packet, &request);
  if (!decoded.ok()) {
    Violation(decoded.bad_field());
    return;
  }
  const LegalOrder& legal = LegalOrder::kTable[request.body.index()];
  if (legal.phase != phase_) {
    Violation("out of order");
    return;
  }
  if (request.id != last_request_id_ + 1) {
    Violation("id");
    return;
  }
  last_request_id_ = request.id;
  (this->*legal.handler)(request);
}

void Session::OnHello(const Request& request) {
  const auto& hello = std::get<Hello>(request.body);
  HelloReply reply;
  const uint16_t newest = std::min(hello.newest_version, kNewestVersion);
  if (newest >= std::max(hello.oldest_version, kOldestVersion)) {
    reply.version = newest;
    reply.max_outstanding = worker_->role->limits.max_outstanding;
    if (context_.lookups != nullptr) reply.capabilities = hello.capabilities & kCapabilityResolve;
    phase_ = Phase::kOpen;
  }
  Send({request.id, reply}, -1);
  if (reply.version == 0) Violation("no common version");
}

void Session::OnConnect(const Request& request) {
  Attempt attempt;
  attempt.worker = worker_.get();
  attempt.channel = id_;
  attempt.request_id = request.id;
  attempt.request = std::get<ConnectRequest>(request.body);
  attempt.request.deadline_ms =
      std::min(attempt.request.deadline_ms, worker_->role->limits.max_deadline_ms);
  attempt.begun = EventLoop::Now();
  ++outstanding_;
  context_.connects->Begin(std::move(attempt), ConnectLimitReached(), this);
}

Reason Session::LimitReached() const {
  const Limits& limits = worker_->role->limits;
  // First, since the other refusals have a line in the log.
  if (context_.audit->denies()) return Reason::kAuditLog;
  if (context_.host->stopping()) return Reason::kStopping;
  if (outstanding_ > limits.max_outstanding) return Reason::kOutstanding;
  return Reason::kNone;
}

Reason Session::LookupLimitReached(TimePoint now) const {
  const Reason limit = LimitReached();
  return limit == Reason::kNone ? context_.usage->WhyNoMemory(now) : limit;
}

Reason Session::ConnectLimitReached() const {
  if (const Reason limit = LimitReached(); limit != Reason::kNone) return limit;
  if (context_.usage->TooManyInFlight()) return Reason::kDescriptors;
  const uint32_t pending = worker_->pending + worker_->waiting;
  if (pending >= worker_->role->limits.max_pending) return Reason::kPending;
  const bool full = RoleUsage::IsFull(worker_->usage->pending, worker_->role->totals.max_pending);
  return full ? Reason::kRoleLimit : Reason::kNone;
}

void Session::OnConnectEnd(const Attempt& attempt, Progress progress, int error, UniqueFd socket) {
  context_.connects->End(attempt, progress, error, std::move(socket), this);
  EndIfBroken();
}

void Session::OnConnectAnswer(const Attempt& attempt, const Result& result, int descriptor) {
  --outstanding_;
  const bool tracked = attempt.tracked && CarriesDescriptor(result.outcome);
  Send({attempt.request_id, ConnectReply{result, tracked}}, descriptor);
}

void Session::OnResolve(const Request& request) {
  if (context_.lookups == nullptr) {
    // The hello reply did not grant kCapabilityResolve.
    ResolveReply reply;
    reply.result = Failed(EOPNOTSUPP, kRetryAfterMs);
    Send({request.id, reply}, -1);
    context_.audit->Channel(*worker_, id_, "unsupported", "resolve");
    return;
  }
  const auto& resolve = std::get<ResolveRequest>(request.body);
  Lookup lookup;
  lookup.worker = worker_.get();
  lookup.channel = id_;
  lookup.request_id = request.id;
  lookup.family = resolve.family;
  lookup.begun = EventLoop::Now();
  lookup.asked = resolve.name;
  ++outstanding_;
  const Reason limit = LookupLimitReached(lookup.begun);
  context_.lookups->Begin(std::move(lookup), limit);
}

void Session::OnLookupEnd(const Lookup& lookup, const LookupEnd& end) {
  --outstanding_;
  Send({lookup.request_id, end.reply}, -1);
  RecordLookup(lookup, end, context_.audit);
  EndIfBroken();
}

void Session::OnOpenChannel(const Request& request) {
  UniqueFd worker_end;
  const Confined confined = worker_->ShowsConfinement(EventLoop::Now(), context_.looks);
  Result result;
  if (confined == Confined::kYes) {
    result = context_.host->MintChannel(worker_, &worker_end);
  } else {
    result = confined == Confined::kNo ? Denied(NotConfined()) : NotNow(kRetryAfterMs);
  }
  Send({request.id, OpenChannelReply{result}}, worker_end.get());
  if (!worker_end.valid()) {
    context_.audit->Channel(
        *worker_, id_, "not-opened",
        result.error != 0 ? strerror(static_cast<int>(result.error)) : Word(result.reason));
  }
}

void Session::Send(const Reply& reply, int descriptor) {
  if (phase_ == Phase::kEnded || send_error_ != 0) return;
  std::array<uint8_t, kMaxPacketBytes> buffer;
  const size_t size = EncodeReply(reply, absl::MakeSpan(buffer));
  SOCKGATE_CHECK(size > 0);
  const auto packet = absl::MakeConstSpan(buffer.data(), size);
  if (!waiting_.empty()) {
    send_error_ = waiting_.Push(packet, descriptor);
    return;
  }
  const Sent sent = SendPacket(channel_.get(), packet, descriptor, Wait::kNo);
  if (sent.status == PacketStatus::kWouldBlock || sent.status == PacketStatus::kInFlight) {
    send_error_ = waiting_.Push(packet, descriptor);
    WaitToSend(sent.status == PacketStatus::kWouldBlock);
  } else if (sent.status != PacketStatus::kOk) {
    send_error_ = sent.error;
  }
}

void Session::SendWaiting() {
  while (!waiting_.empty()) {
    const ReplyQueue::Waiting& first = waiting_.front();
    const Sent sent = SendPacket(channel_.get(), first.bytes(), first.descriptor.get(), Wait::kNo);
    if (sent.status == PacketStatus::kWouldBlock || sent.status == PacketStatus::kInFlight) {
      WaitToSend(sent.status == PacketStatus::kWouldBlock);
      return;
    }
    if (sent.status != PacketStatus::kOk) {
      send_error_ = sent.error;
      EndIfBroken();
      return;
    }
    waiting_.PopFront();
    // The worker reads, so it has all its time again.
    context_.loop->Cancel(&unread_);
  }
  context_.loop->Cancel(&retry_);
  WaitInFlight(false);
  if (context_.backlog->crowded() && HasMore()) {
    JoinBacklog();
  } else {
    context_.loop->Change(watch_, kReading);
  }
}

void Session::WaitToSend(bool for_room) {
  // It is not read from while it does not read.
  context_.backlog->Remove(&place_, worker_.get());
  context_.loop->Change(watch_, for_room ? kWritingOnly : kNothing);
  WaitInFlight(!for_room);
  const TimePoint now = EventLoop::Now();
  if (!for_room) {
    context_.loop->Cancel(&unread_);
    context_.loop->Cancel(&retry_);
    retry_ = context_.loop->SetDeadline(now + kInFlightRetry, this, kRetry);
  } else if (!unread_.valid()) {
    const std::chrono::milliseconds patience(worker_->role->limits.unread_patience_ms);
    unread_ = context_.loop->SetDeadline(now + patience, this, kUnread);
  }
}

// While one waits, others are refused rather than made to wait, too.
void Session::WaitInFlight(bool waits) {
  if (waits == waits_in_flight_) return;
  waits_in_flight_ = waits;
  if (waits) {
    context_.usage->BeginInFlightWait();
  } else {
    context_.usage->EndInFlightWait();
  }
}

void Session::EndIfBroken() {
  if (send_error_ == 0) return;
  const bool gone = send_error_ == EPIPE || send_error_ == ECONNRESET;
  End(gone ? "closed" : "broken", gone ? "" : strerror(send_error_));
}

void Session::Violation(absl::string_view detail) {
  ++worker_->metrics->violations;
  End("violation", detail);
}

void Session::End(absl::string_view change, absl::string_view detail) {
  if (phase_ == Phase::kEnded) return;
  phase_ = Phase::kEnded;
  context_.backlog->Remove(&place_, worker_.get());
  context_.loop->Unwatch(&watch_);
  context_.loop->Cancel(&retry_);
  waiting_.Clear();
  WaitInFlight(false);
  context_.loop->Cancel(&unread_);
  context_.audit->Channel(*worker_, id_, change, detail);
  context_.host->EndSession(this);
}

}  // namespace sockgate
