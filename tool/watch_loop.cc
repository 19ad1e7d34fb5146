#include "tool/watch_loop.h"

#include <poll.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tool/human_number.h"

namespace sockgate {
namespace {

// A broker that is busy for a moment is no broker that does not answer.
constexpr std::chrono::seconds kPatience(1);

}  // namespace

void WatchLoop::Ignore(int fd) {
  for (Other& other : others_) {
    if (other.fd == fd) other.fd = -1;
  }
}

bool WatchLoop::Run() {
  next_ = Clock::now();
  while (!ended_) {
    if (Clock::now() >= next_) Tick();
    if (!ended_) Wait();
  }
  return shown_;
}

void WatchLoop::Shown(bool shown) {
  if (shown) return;
  shown_ = false;
  End();
}

void WatchLoop::Tick() {
  const auto now = Clock::now();
  next_ += interval_;
  // After a delay there is no hurry: what happens in a moment makes no rate.
  if (next_ < now + interval_ / 2) next_ = now + interval_;
  if (!question_.has_value()) {
    Ask(now);
  } else if (now - asked_at_ >= kPatience) {
    const auto since = std::chrono::duration_cast<std::chrono::microseconds>(now - asked_at_);
    const std::string waited = HumanMicroseconds(static_cast<uint64_t>(since.count()));
    Shown(view_->Silent(absl::StrCat("no answer for ", waited)));
  }
}

void WatchLoop::Ask(Clock::time_point now) {
  auto question = ControlQuestion::Ask(path_, "status");
  if (!question.ok()) {
    Shown(view_->Silent(std::string{question.status().message()}));
    return;
  }
  question_.emplace(*std::move(question));
  asked_at_ = now;
}

void WatchLoop::Hear() {
  const auto reply = question_->Answer();
  question_.reset();
  Shown(reply.ok() ? view_->Answered(*reply)
                   : view_->Silent(std::string{reply.status().message()}));
}

void WatchLoop::Wait() {
  std::vector<pollfd> entries = {{question_.has_value() ? question_->socket() : -1, POLLIN, 0}};
  for (const Other& other : others_) entries.push_back({other.fd, POLLIN, 0});
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_ - Clock::now());
  const int ms = static_cast<int>(std::max<int64_t>(left.count(), 0));
  if (poll(entries.data(), entries.size(), ms) <= 0) return;
  for (size_t i = 0; i < others_.size(); ++i) {
    if (entries[i + 1].revents != 0) others_[i].on_readable();
  }
  if (entries[0].revents != 0 && !ended_) Hear();
}

}  // namespace sockgate
