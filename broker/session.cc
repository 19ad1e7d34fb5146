#include "broker/session.h"

#include <fcntl.h>

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

// What a worker over a limit is told to wait.
constexpr uint32_t kRetryAfterMs = 100;

constexpr uint32_t kReading = EPOLLIN;
constexpr uint32_t kWritingOnly = EPOLLOUT;
constexpr uint32_t kNothing = 0;  // epoll still reports the end

Result Denied(const Verdict& verdict) {
  Result result;
  result.outcome = Outcome::kDenied;
  result.reason = verdict.reason;
  result.rule = verdict.rule;
  return result;
}

Verdict NotConfined() { return {Decision::kDeny, 0, 0, Reason::kNotConfined}; }

// The broker has no time to look at the worker. Not denied, since it may well be confined.
Result NotNow() { return Limited(Reason::kRate, kRetryAfterMs); }

Result Ended(const Attempt& attempt, Progress progress, int error) {
  Result result;
  if (progress == Progress::kFailed && error != 0) {
    result = Failed(error, kRetryAfterMs);
  } else {
    result.outcome = progress == Progress::kConnected ? Outcome::kConnected : Outcome::kStarted;
  }
  result.rule = attempt.rule;
  return result;
}

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
      phase_(phase) {}

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
  } else {
    ReadOne();
    EndIfBroken();
  }
}

void Session::OnDeadline(uint64_t cookie) {
  if (phase_ == Phase::kEnded) return;
  if (cookie == kUnread) {
    Violation("unread replies");
  } else {
    SendWaiting();
  }
}

void Session::ReadOne() {
  std::array<uint8_t, kMaxPacketBytes> buffer;
  const Received received =
      ReceivePacket(channel_.get(), absl::MakeSpan(buffer), Accept::kNoDescriptor, Wait::kNo);
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

  if (const Reason limit = LimitReached(); limit != Reason::kNone) {
    Refuse(attempt, Limited(limit, kRetryAfterMs));
    return;
  }
  if (attempt.request.endpoint.is_ip() && attempt.request.endpoint.port() == 0) {
    Result result;
    result.outcome = Outcome::kBadRequest;
    result.reason = Reason::kPortZero;
    Refuse(attempt, result);
    return;
  }
  Decide(attempt);
}

Reason Session::LimitReached() const {
  const Limits& limits = worker_->role->limits;
  // First, since the other refusals have a line in the log.
  if (context_.audit->full()) return Reason::kAuditLog;
  if (outstanding_ > limits.max_outstanding) return Reason::kOutstanding;
  if (worker_->pending + worker_->waiting >= limits.max_pending) return Reason::kPending;
  return Reason::kNone;
}

Confined Session::ShowsConfined() {
  if (!worker_->role->require_confined) return Confined::kYes;
  return worker_->confined.Ask(EventLoop::Now(), context_.looks);
}

void Session::Decide(Attempt attempt) {
  const Confined confined = ShowsConfined();
  if (confined == Confined::kNotNow) {
    Refuse(attempt, NotNow());
    return;
  }
  const Verdict verdict =
      confined == Confined::kYes
          ? worker_->role->policy.Decide(attempt.request.endpoint, attempt.request.transport)
          : NotConfined();
  attempt.rule = verdict.rule;
  if (verdict.lets_through()) {
    LetThrough(attempt, verdict);
  } else {
    Answer(attempt, Denied(verdict), -1);
    context_.audit->Decision(attempt, verdict);
  }
}

void Session::LetThrough(const Attempt& attempt, const Verdict& verdict) {
  const uint32_t wait_ms = worker_->rate.Take(worker_->role->limits, attempt.begun);
  if (wait_ms == 0) {
    StartConnect(attempt, verdict);
    return;
  }
  Result result = Limited(Reason::kRate, wait_ms);
  result.rule = verdict.rule;
  Answer(attempt, result, -1);
  context_.audit->Decision(attempt, verdict);
  Complete(attempt, result);
}

// Whatever can be answered now is answered before the audit lines are made.
void Session::StartConnect(const Attempt& attempt, const Verdict& verdict) {
  const Started started = context_.connector->Start(attempt, worker_->role->socket_options);
  const bool pending = started.progress == Progress::kPending;
  Result result;
  if (!pending) {
    result = Ended(attempt, started.progress, started.error);
    Answer(attempt, result, started.socket.get());
  } else if (attempt.request.mode == ConnectMode::kInProgress) {
    Answer(attempt, Ended(attempt, started.progress, 0), started.lent);
  }
  context_.audit->Decision(attempt, verdict);
  if (!pending) Complete(attempt, result);
}

void Session::OnConnectEnd(const Attempt& attempt, Progress progress, int error, UniqueFd socket) {
  const Result result = Ended(attempt, progress, error);
  Answer(attempt, result, socket.get());
  Complete(attempt, result);
  EndIfBroken();
}

void Session::OnResolve(const Request& request) {
  // The hello reply did not grant kCapabilityResolve.
  ResolveReply reply;
  reply.result = Failed(EOPNOTSUPP, kRetryAfterMs);
  Send({request.id, reply}, -1);
  context_.audit->Channel(*worker_, id_, "unsupported", "resolve");
}

void Session::OnOpenChannel(const Request& request) {
  UniqueFd worker_end;
  const Confined confined = ShowsConfined();
  const Result result = confined == Confined::kYes
                            ? context_.host->MintChannel(worker_, &worker_end)
                            : (confined == Confined::kNo ? Denied(NotConfined()) : NotNow());
  Send({request.id, OpenChannelReply{result}}, worker_end.get());
  if (!worker_end.valid()) {
    context_.audit->Channel(
        *worker_, id_, "not-opened",
        result.error != 0 ? strerror(static_cast<int>(result.error)) : Word(result.reason));
  }
}

void Session::Answer(const Attempt& attempt, const Result& result, int descriptor) {
  --outstanding_;
  Send({attempt.request_id, ConnectReply{result}}, descriptor);
}

void Session::Refuse(const Attempt& attempt, const Result& result) {
  Answer(attempt, result, -1);
  Complete(attempt, result);
}

void Session::Complete(const Attempt& attempt, Result result) {
  // To the worker an in-progress attempt that has failed already is one that started; the error is
  // in its socket.
  if (result.outcome == Outcome::kStarted) result.outcome = Outcome::kFailed;
  context_.audit->Completion(attempt, result, EventLoop::Now());
}

void Session::Send(const Reply& reply, int descriptor) {
  if (phase_ == Phase::kEnded || send_error_ != 0) return;
  std::array<uint8_t, kMaxPacketBytes> buffer;
  const size_t size = EncodeReply(reply, absl::MakeSpan(buffer));
  SOCKGATE_CHECK(size > 0);
  const auto packet = absl::MakeConstSpan(buffer.data(), size);
  if (!waiting_.empty()) {
    Queue(packet, descriptor);
    return;
  }
  const Sent sent = SendPacket(channel_.get(), packet, descriptor, Wait::kNo);
  if (sent.status == PacketStatus::kWouldBlock || sent.status == PacketStatus::kInFlight) {
    Queue(packet, descriptor);
    WaitToSend(sent.status == PacketStatus::kWouldBlock);
  } else if (sent.status != PacketStatus::kOk) {
    send_error_ = sent.error;
  }
}

void Session::Queue(absl::Span<const uint8_t> packet, int descriptor) {
  Waiting waiting;
  std::copy(packet.begin(), packet.end(), waiting.packet.begin());
  waiting.size = packet.size();
  if (descriptor >= 0) {
    waiting.descriptor.Reset(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    if (!waiting.descriptor.valid()) {
      // The worker would take a reply without its descriptor for a full table of its own.
      send_error_ = errno;
      return;
    }
  }
  worker_->waiting += descriptor >= 0 ? 1 : 0;
  waiting_.push_back(std::move(waiting));
}

void Session::DropFirstWaiting() {
  worker_->waiting -= waiting_.front().descriptor.valid() ? 1 : 0;
  waiting_.pop_front();
  // The worker reads, so it has all its time again.
  context_.loop->Cancel(&unread_);
}

void Session::SendWaiting() {
  while (!waiting_.empty()) {
    const Waiting& first = waiting_.front();
    const Sent sent =
        SendPacket(channel_.get(), absl::MakeConstSpan(first.packet.data(), first.size),
                   first.descriptor.get(), Wait::kNo);
    if (sent.status == PacketStatus::kWouldBlock || sent.status == PacketStatus::kInFlight) {
      WaitToSend(sent.status == PacketStatus::kWouldBlock);
      return;
    }
    if (sent.status != PacketStatus::kOk) {
      send_error_ = sent.error;
      EndIfBroken();
      return;
    }
    DropFirstWaiting();
  }
  context_.loop->Change(watch_, kReading);
}

void Session::WaitToSend(bool for_room) {
  context_.loop->Change(watch_, for_room ? kWritingOnly : kNothing);
  if (!unread_.valid()) {
    const std::chrono::milliseconds patience(worker_->role->limits.unread_patience_ms);
    unread_ = context_.loop->SetDeadline(EventLoop::Now() + patience, this, kUnread);
  }
  if (for_room) return;
  context_.loop->Cancel(&retry_);
  retry_ = context_.loop->SetDeadline(EventLoop::Now() + kInFlightRetry, this, kRetry);
}

void Session::EndIfBroken() {
  if (send_error_ == 0) return;
  const bool gone = send_error_ == EPIPE || send_error_ == ECONNRESET;
  End(gone ? "closed" : "broken", gone ? "" : strerror(send_error_));
}

void Session::Violation(absl::string_view detail) { End("violation", detail); }

void Session::End(absl::string_view change, absl::string_view detail) {
  if (phase_ == Phase::kEnded) return;
  phase_ = Phase::kEnded;
  context_.loop->Unwatch(&watch_);
  context_.loop->Cancel(&retry_);
  while (!waiting_.empty()) DropFirstWaiting();
  context_.loop->Cancel(&unread_);
  channel_.Reset();
  context_.audit->Channel(*worker_, id_, change, detail);
  context_.host->EndSession(this);
}

}  // namespace sockgate
