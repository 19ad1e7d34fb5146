#include "broker/resolver_link.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "broker/resolver/resolver_codec.h"
#include "proto/check.h"
#include "proto/limits.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

constexpr uint64_t kSupply = 0;
constexpr uint64_t kQuestions = 1;
constexpr uint64_t kSockets = 2;

// Answers taken in one turn of the loop, so that a resolver that floods cannot keep it from the
// workers.
constexpr int kAnswersPerTurn = 32;

ResolverAnswer TryAgain(uint32_t id) {
  ResolverAnswer answer;
  answer.id = id;
  answer.status = ResolverStatus::kTryAgain;
  return answer;
}

}  // namespace

ResolverLink::ResolverLink(EventLoop* loop, std::unique_ptr<ResolverSupply> supply)
    : loop_(loop), supply_(std::move(supply)) {}

ResolverLink::~ResolverLink() {
  for (EventLoop::Id* watch : {&supply_watch_, &questions_watch_, &sockets_watch_}) {
    loop_->Unwatch(watch);
  }
  loop_->Cancel(&later_);
}

int ResolverLink::Begin() {
  supply_watch_ = loop_->Watch(supply_->descriptor(), EPOLLIN, this, kSupply);
  return supply_watch_.valid() ? 0 : errno;
}

// The old one is cut off here and now: what it still says is not asked for any more.
absl::Status ResolverLink::Restart(const ResolverOptions& options) {
  absl::Status status = supply_->Restart(options);
  if (!status.ok()) return status;
  if (questions_.valid()) Tell("replaced");
  Disconnect();
  for (auto& [id, asked] : sent_) unsent_.push_back(std::move(asked.question));
  sent_.clear();
  return status;
}

ResolverState ResolverLink::state() const {
  if (ready_) return ResolverState::kReady;
  return supply_ended_ ? ResolverState::kGone : ResolverState::kAwaited;
}

void ResolverLink::Ask(uint32_t id, const HostName& name) {
  last_id_ = id;
  unsent_.push_back({id, std::string(name.text())});
  if (supply_ended_) {
    AnswerLater();
  } else if (unsent_.size() == 1 && questions_.valid()) {
    SendUnsent(/*at_once=*/true);
    WatchQuestions();
  }
}

// A resolver that has said nothing at all for so long is stuck, and will be for the others too.
void ResolverLink::GiveUp(uint32_t id) {
  const std::optional<Asked> asked = Withdraw(id);
  if (!asked.has_value() || !asked->at_once || condemned_ || heard_ > asked->at) return;
  condemned_ = true;
  Tell("killed", "silent");
  supply_->Kill();
}

void ResolverLink::Forget(uint32_t id) { Withdraw(id); }

std::optional<ResolverLink::Asked> ResolverLink::Withdraw(uint32_t id) {
  const auto unsent = std::find_if(unsent_.begin(), unsent_.end(),
                                   [&](const ResolverQuestion& one) { return one.id == id; });
  if (unsent != unsent_.end()) unsent_.erase(unsent);
  const auto sent = sent_.find(id);
  if (sent == sent_.end()) return std::nullopt;
  const Asked asked = std::move(sent->second);
  sent_.erase(sent);
  ++strays_;
  return asked;
}

void ResolverLink::OnEvent(uint64_t cookie, uint32_t epoll_events) {
  if (cookie == kSupply) {
    OnSupply();
  } else if (cookie == kQuestions) {
    OnQuestions(epoll_events);
  } else {
    OnSockets();
  }
}

void ResolverLink::OnSupply() {
  auto channels = supply_->Take();
  if (channels.ok()) {
    Adopt(*std::move(channels));
  } else if (!absl::IsUnavailable(channels.status())) {
    loop_->Unwatch(&supply_watch_);
    supply_ended_ = true;
    Tell("gone", channels.status().message());
    AnswerLater();
  }
}

void ResolverLink::Adopt(ResolverChannels channels) {
  if (questions_.valid()) LoseResolver({});
  strays_ = 0;
  condemned_ = false;
  questions_ = std::move(channels.questions);
  sockets_.emplace(std::move(channels.sockets));
  questions_watch_ = loop_->Watch(questions_.get(), EPOLLIN, this, kQuestions);
  watches_for_room_ = false;
  sockets_watch_ = loop_->Watch(sockets_->descriptor(), EPOLLIN, this, kSockets);
  if (!questions_watch_.valid() || !sockets_watch_.valid()) {
    LoseResolver(strerror(errno));
    return;
  }
  heard_ = EventLoop::Now();
  SendUnsent(/*at_once=*/false);
  WatchQuestions();
}

void ResolverLink::OnQuestions(uint32_t epoll_events) {
  for (int i = 0; i < kAnswersPerTurn && (epoll_events & ~uint32_t{EPOLLOUT}) != 0; ++i) {
    std::array<uint8_t, kMaxPacketBytes> buffer;
    const Received received =
        ReceivePacket(questions_.get(), absl::MakeSpan(buffer), Accept::kNoDescriptor, Wait::kNo);
    if (received.status == PacketStatus::kWouldBlock) break;
    if (received.status == PacketStatus::kClosed) {
      LoseResolver({});
      return;
    }
    const absl::string_view fault =
        received.status == PacketStatus::kOk
            ? OnPacket(absl::MakeConstSpan(buffer.data(), received.size))
            : "descriptors or length";
    if (!fault.empty()) {
      LoseResolver(fault);
      return;
    }
  }
  SendUnsent(/*at_once=*/false);
  WatchQuestions();
}

absl::string_view ResolverLink::OnPacket(absl::Span<const uint8_t> packet) {
  ResolverAnswer answer;
  const Decoded decoded = DecodeAnswer(packet, &answer);
  if (!decoded.ok()) return decoded.bad_field();
  if (sent_.erase(answer.id) != 0) {
    heard_ = EventLoop::Now();
    if (listener_ != nullptr) listener_->OnAnswer(answer);
    return {};
  }
  // To what was withdrawn, perhaps; of others there can be none.
  if (strays_ == 0) return "id";
  --strays_;
  return {};
}

void ResolverLink::OnSockets() {
  const absl::Status status = sockets_->Serve(EventLoop::Now());
  if (!status.ok()) {
    LoseResolver(absl::IsUnavailable(status) ? "" : status.message());
  } else if (!ready_ && !sockets_->servers().empty()) {
    ready_ = true;
    Tell("ready");
  }
}

void ResolverLink::SendUnsent(bool at_once) {
  while (!unsent_.empty()) {
    std::array<uint8_t, kMaxPacketBytes> buffer;
    const size_t size = Encode(unsent_.front(), absl::MakeSpan(buffer));
    SOCKGATE_CHECK(size > 0);
    const Sent sent =
        SendPacket(questions_.get(), absl::MakeConstSpan(buffer.data(), size), -1, Wait::kNo);
    // What else may be wrong shows as an event of the channel, and the question waits for the next
    // resolver.
    if (sent.status != PacketStatus::kOk) return;
    const uint32_t id = unsent_.front().id;
    sent_.emplace(id, Asked{std::move(unsent_.front()), EventLoop::Now(), at_once});
    unsent_.pop_front();
  }
}

// Most of the time nothing changes, and then it costs no system call.
void ResolverLink::WatchQuestions() {
  const bool for_room = !unsent_.empty();
  if (for_room == watches_for_room_) return;
  watches_for_room_ = for_room;
  loop_->Change(questions_watch_, for_room ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void ResolverLink::LoseResolver(absl::string_view fault) {
  Tell(fault.empty() ? "ended" : "killed", fault);
  Disconnect();
  if (!fault.empty()) supply_->Kill();
  const auto lost = std::exchange(sent_, {});
  if (listener_ == nullptr) return;
  for (const auto& [id, asked] : lost) listener_->OnAnswer(TryAgain(id));
}

void ResolverLink::Disconnect() {
  loop_->Unwatch(&questions_watch_);
  loop_->Unwatch(&sockets_watch_);
  questions_.Reset();
  sockets_.reset();
  ready_ = false;
}

void ResolverLink::Tell(absl::string_view change, absl::string_view detail) {
  if (log_ != nullptr) log_->Resolver(change, detail);
}

void ResolverLink::AnswerLater() {
  if (!later_.valid()) later_ = loop_->SetDeadline(EventLoop::Now(), this, 0);
}

void ResolverLink::OnDeadline(uint64_t /*cookie*/) {
  later_ = EventLoop::Id();
  const auto unsent = std::exchange(unsent_, {});
  if (listener_ == nullptr) return;
  for (const ResolverQuestion& question : unsent) listener_->OnAnswer(TryAgain(question.id));
}

}  // namespace sockgate
