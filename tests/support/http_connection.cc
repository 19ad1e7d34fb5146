#include "tests/support/http_connection.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tests/support/byte_pattern.h"
#include "tests/support/http_reply.h"
#include "tests/support/http_routes.h"

namespace sockgate::testing {
namespace {

constexpr int kMaxSteps = 64;  // before the other connections get their turn
constexpr size_t kReadBytes = 16 << 10;
constexpr uint64_t kFirstPiece = 16 << 10;  // of a pattern, sent in one packet train with the head
constexpr std::chrono::seconds kDrainPatience{1};

}  // namespace

void HttpConnection::Advance(uint32_t events, Clock::time_point now) {
  interest_ = 0;
  yielded_.reset();
  if (state_ == State::kDelaying && events != 0) state_ = State::kDone;
  for (int steps = 0; steps < kMaxSteps; ++steps) {
    if (!Step(now)) return;
  }
  yielded_ = now;
}

// True when there is more to do at once.
bool HttpConnection::Step(Clock::time_point now) {
  switch (state_) {
    case State::kReading:
      return Read(now);
    case State::kDelaying:
      return Delay(now);
    case State::kWriting:
      return Write(now);
    case State::kDraining:
      return Drain(now);
    case State::kDone:
      break;
  }
  return false;
}

bool HttpConnection::Read(Clock::time_point now) {
  HttpRequest request;
  switch (parser_.Next(&request)) {
    case HttpRequestParser::Outcome::kComplete:
      Answer(request, now);
      return true;
    case HttpRequestParser::Outcome::kBad:
      Refuse(parser_.error_status());
      return true;
    case HttpRequestParser::Outcome::kNeedMore:
      break;
  }
  if (parser_.TakeContinue()) {
    Send("HTTP/1.1 100 Continue\r\n\r\n", State::kReading);
    return true;
  }
  std::array<char, kReadBytes> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const IoResult result = stream_->Read(buffer.data(), buffer.size());
  if (result.status != IoStatus::kMoved) return WaitFor(result);
  parser_.Append({buffer.data(), result.bytes});
  return true;
}

bool HttpConnection::Delay(Clock::time_point now) {
  if (now < *deadline_) {
    interest_ = EPOLLRDHUP;
    return false;
  }
  deadline_.reset();
  state_ = State::kWriting;
  return true;
}

bool HttpConnection::Write(Clock::time_point now) {
  const absl::string_view next = NextOutput();
  if (next.empty()) {
    FinishOutput(now);
    return true;
  }
  const IoResult result = stream_->Write(next);
  if (result.status != IoStatus::kMoved) return WaitFor(result);
  Consume(result.bytes);
  return true;
}

bool HttpConnection::Drain(Clock::time_point now) {
  std::array<char, kReadBytes> ignored;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  if (now >= *deadline_) {
    state_ = State::kDone;
    return false;
  }
  const IoResult result = stream_->Read(ignored.data(), ignored.size());
  return result.status == IoStatus::kMoved || WaitFor(result);
}

bool HttpConnection::WaitFor(const IoResult& result) {
  if (result.status == IoStatus::kClosed) state_ = State::kDone;
  interest_ = result.status == IoStatus::kWantWrite ? EPOLLOUT : EPOLLIN;
  return false;
}

void HttpConnection::Answer(const HttpRequest& request, Clock::time_point now) {
  requests_served_->fetch_add(1, std::memory_order_relaxed);
  HttpReply reply = Route(request);
  if (reply.hang_up) {
    stream_->CloseOutput();
    state_ = State::kDone;
    return;
  }
  std::string bytes = SerializeHead(reply, request.keep_alive);
  if (request.method != "HEAD" && StatusHasBody(reply.status)) {
    bytes += reply.body;
    pattern_end_ = reply.pattern_bytes;
    const absl::string_view piece = PatternSlice(0, std::min(pattern_end_, kFirstPiece));
    bytes.append(piece.data(), piece.size());
    pattern_sent_ = piece.size();
  }
  Send(std::move(bytes), request.keep_alive ? State::kReading : State::kDraining);
  if (reply.delay.count() == 0) return;
  deadline_ = now + reply.delay;
  state_ = State::kDelaying;
}

void HttpConnection::Refuse(int status) {
  const HttpReply reply = HttpReply::Text(status, "the request is malformed or too big\n");
  Send(SerializeHead(reply, /*keep_alive=*/false) + reply.body, State::kDraining);
}

void HttpConnection::Send(std::string bytes, State then) {
  output_ = std::move(bytes);
  output_sent_ = 0;
  after_output_ = then;
  state_ = State::kWriting;
}

absl::string_view HttpConnection::NextOutput() const {
  if (output_sent_ < output_.size()) return absl::string_view(output_).substr(output_sent_);
  return PatternSlice(pattern_sent_, pattern_end_ - pattern_sent_);
}

void HttpConnection::Consume(size_t bytes) {
  if (output_sent_ < output_.size()) {
    output_sent_ += bytes;
  } else {
    pattern_sent_ += bytes;
  }
}

void HttpConnection::FinishOutput(Clock::time_point now) {
  output_.clear();
  pattern_sent_ = pattern_end_ = 0;
  state_ = after_output_;
  if (state_ != State::kDraining) return;
  stream_->CloseOutput();
  deadline_ = now + kDrainPatience;
}

}  // namespace sockgate::testing
