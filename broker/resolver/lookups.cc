#include "broker/resolver/lookups.h"

#include <ares.h>
#include <arpa/nameser.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "broker/resolver/answer_reader.h"
#include "broker/resolver/answers.h"
#include "broker/resolver/search_list.h"

namespace sockgate {
namespace {

// A channel takes some 100 KiB.
constexpr uint64_t kLines = 128;

// A cookie is the number of a line and, in its lower bits, of a descriptor.
constexpr int kFdBits = 32;

// How much longer a name may take of which one family has addresses.
constexpr std::chrono::seconds kOtherFamilyPatience(1);

// Of a query that ended without a message.
ResolverStatus StatusOf(int status) {
  switch (status) {
    case ARES_ENOTFOUND:  // c-ares asks nobody for .onion: RFC 7686
      return ResolverStatus::kNoName;
    case ARES_ETIMEOUT:
    case ARES_ECONNREFUSED:
    case ARES_ESERVFAIL:
    case ARES_ENOMEM:
    case ARES_ECANCELLED:
      return ResolverStatus::kTryAgain;
    default:
      return ResolverStatus::kFailed;
  }
}

}  // namespace

Lookups::Lookups(const ResolverConfig& config, Sink sink)
    : sink_(std::move(sink)),
      patience_(std::min<uint64_t>(
          uint64_t{config.timeout_ms} * config.tries * config.servers.size(), kMaxQuestionMs)),
      search_(config.search),
      ndots_(config.ndots) {}

absl::StatusOr<std::unique_ptr<Lookups>> Lookups::Create(const ResolverConfig& config, int epoll,
                                                         OrderedSockets* sockets, Sink sink) {
  std::unique_ptr<Lookups> lookups(new Lookups(config, std::move(sink)));
  for (uint64_t i = 0; i < kLines; ++i) {
    auto channel = DnsChannel::Open(config, epoll, i << kFdBits, sockets);
    if (!channel.ok()) return channel.status();
    lookups->lines_.push_back(Line{*std::move(channel)});
  }
  return lookups;
}

bool Lookups::Ask(const ResolverQuestion& asked, TimePoint now) {
  if (questions_.size() >= kMaxQuestions) return false;
  Line* line = FreestLine();
  Question& question = questions_.emplace_back();
  question.owner = this;
  question.line = line;
  question.id = asked.id;
  question.deadline = now + patience_;
  question.candidates = SearchCandidates(asked.name, search_, ndots_);
  std::reverse(question.candidates.begin(), question.candidates.end());
  question.self = std::prev(questions_.end());
  ++line->questions;
  ++line->unanswered;
  AskNext(&question);
  return true;
}

// The question may be over when this returns: a query may fail at once.
void Lookups::AskNext(Question* question) {
  const std::string name = std::move(question->candidates.back());
  question->candidates.pop_back();
  question->outstanding = 2;
  Query(question, name, ns_t_a);
  Query(question, name, ns_t_aaaa);
}

void Lookups::Query(Question* question, const std::string& name, int type) {
  const auto on_end = [](void* data, int status, int /*timeouts*/, unsigned char* message,
                         int size) {
    auto* self = static_cast<Question*>(data);
    self->owner->OnEnd(self, status, {message, static_cast<size_t>(size)});
  };
  question->line->channel->Query(name, type, on_end, question);
}

// A line on which questions have run out of time is left alone until c-ares can end them, which it
// does for all of a line together. Else they would pile up: c-ares doubles its patience with every
// try, and would keep each of them several times as long as it may take. When all lines are so, the
// fullest goes on alone, and the others run dry.
Lookups::Line* Lookups::FreestLine() {
  const auto rank = [](const Line& line) {
    const bool late = line.questions > line.unanswered;
    const auto questions = static_cast<int64_t>(line.questions);
    return std::make_pair(late, late ? -questions : questions);
  };
  const auto freer = [rank](const Line& a, const Line& b) { return rank(a) < rank(b); };
  return &*std::min_element(lines_.begin(), lines_.end(), freer);
}

void Lookups::OnEnd(Question* question, int status, absl::Span<const uint8_t> message) {
  if (status == ARES_EDESTRUCTION) return;
  --question->outstanding;
  if (!question->answered) {
    OnFamily(question, message.empty() ? EmptyAnswer(StatusOf(status)) : ReadAnswer(message));
  }
  if (question->outstanding > 0) return;
  if (!question->answered) return AskNext(question);
  --question->line->questions;
  questions_.erase(question->self);
}

void Lookups::OnFamily(Question* question, const ResolverAnswer& answer) {
  if (question->outstanding == 0) {
    const ResolverAnswer both = Merge(*question->first, answer);
    question->first.reset();
    return OnCandidate(question, both);
  }
  question->first = answer;
  if (answer.status == ResolverStatus::kFound) {
    const TimePoint soon = std::chrono::steady_clock::now() + kOtherFamilyPatience;
    question->deadline = std::min(question->deadline, soon);
  }
}

void Lookups::OnCandidate(Question* question, const ResolverAnswer& answer) {
  const ResolverAnswer so_far =
      question->negative.has_value() ? Merge(*question->negative, answer) : answer;
  if (!IsNegative(answer) || question->candidates.empty()) return Answer(question, so_far);
  question->negative = so_far;
}

void Lookups::Answer(Question* question, ResolverAnswer answer) {
  question->answered = true;
  --question->line->unanswered;
  answer.id = question->id;
  sink_(answer);
}

void Lookups::OnEvent(uint64_t cookie, uint32_t events) {
  const uint64_t fd = cookie & ((uint64_t{1} << kFdBits) - 1);
  lines_[cookie >> kFdBits].channel->OnEvent(static_cast<int>(fd), events);
}

void Lookups::Tick(TimePoint now) {
  for (const Line& line : lines_) {
    if (line.questions > 0) line.channel->Tick();
  }
  for (Question& question : questions_) {
    if (question.answered || question.deadline > now) continue;
    const ResolverAnswer none = EmptyAnswer(ResolverStatus::kTryAgain);
    Answer(&question, question.first.has_value() ? Merge(*question.first, none) : none);
  }
  // c-ares can end a channel's queries only together.
  for (const Line& line : lines_) {
    if (line.questions > 0 && line.unanswered == 0) line.channel->Cancel();
  }
}

}  // namespace sockgate
