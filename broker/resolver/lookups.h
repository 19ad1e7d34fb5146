// Lookups: the questions that are with the name servers.
//
// Process: resolver. Created before it is confined, as its channels are; used afterwards.
// Ownership: owns the channels. Refers to `epoll` and `sockets`, which outlive it.
// Threads: one. Nothing waits but OrderedSockets, for the broker.
// Hostile inputs: what the name servers say. c-ares finds the question that a message answers;
// answer_reader.h reads it.
// Both families are asked for at the same time, each on its own, so that one that is never answered
// costs the other nothing but a second. With search domains the next candidate's turn comes when
// both families of the one before have said no, so that all addresses are those of one name; any
// other failure ends the search.
// Failure: each question that Ask() took is answered once, within timeout_ms * tries, whatever the
// name servers do.
//
// Against forged answers: c-ares 1.18 opens a UDP socket at a channel's first query and closes it
// when the channel has no query left. So there are kLines channels, and a question gets an idle one
// while there is one: then its socket, and so its source port, is its own (all its queries to the
// same server share it). Only with more questions than channels do some share.

#ifndef SOCKGATE_BROKER_RESOLVER_LOOKUPS_H_
#define SOCKGATE_BROKER_RESOLVER_LOOKUPS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "broker/resolver/dns_channel.h"
#include "broker/resolver/ordered_sockets.h"
#include "broker/resolver/resolver_config.h"
#include "broker/resolver/resolver_messages.h"

namespace sockgate {

// Questions under way at a time; one more is kBusy. Twice as many as the broker asks at a time, for
// those that ran out of time may take as long again.
inline constexpr size_t kMaxQuestions = 2048;

// How often Tick() is to be called while there are questions under way.
inline constexpr int kTickMs = 20;

class Lookups {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Sink = std::function<void(const ResolverAnswer&)>;

  // Registers c-ares's descriptors with `epoll`; their events are for OnEvent(). Cookies from
  // kForeignCookies on are the caller's own.
  static absl::StatusOr<std::unique_ptr<Lookups>> Create(const ResolverConfig& config, int epoll,
                                                         OrderedSockets* sockets, Sink sink);

  // False when too many are under way. The answer may reach the sink before this returns.
  bool Ask(const ResolverQuestion& question, TimePoint now);

  void OnEvent(uint64_t cookie, uint32_t events);

  // Repeats queries and ends questions whose time is over. c-ares could say when it next has
  // something to do, but walks through a thousand lists for each channel to find out.
  void Tick(TimePoint now);

  bool idle() const { return questions_.empty(); }

  static constexpr uint64_t kForeignCookies = uint64_t{1} << 63;

 private:
  // A channel, and how busy it is.
  struct Line {
    std::unique_ptr<DnsChannel> channel;
    size_t questions = 0;   // that c-ares works on
    size_t unanswered = 0;  // of those
  };
  struct Question {
    Lookups* owner = nullptr;
    Line* line = nullptr;
    uint32_t id = 0;
    TimePoint deadline = {};
    std::vector<std::string> candidates;     // not asked about yet, the next one last
    std::optional<ResolverAnswer> negative;  // of the candidates before
    std::optional<ResolverAnswer> first;     // of the candidate's two families
    int outstanding = 0;                     // queries that c-ares has not ended
    bool answered = false;
    std::list<Question>::iterator self = {};
  };

  Lookups(const ResolverConfig& config, Sink sink);

  Line* FreestLine();
  void AskNext(Question* question);
  void Query(Question* question, const std::string& name, int type);
  void OnEnd(Question* question, int status, absl::Span<const uint8_t> message);
  void OnFamily(Question* question, const ResolverAnswer& answer);
  void OnCandidate(Question* question, const ResolverAnswer& answer);
  void Answer(Question* question, ResolverAnswer answer);

  const Sink sink_;
  const std::chrono::milliseconds patience_;
  const std::vector<std::string> search_;
  const uint32_t ndots_;
  std::list<Question> questions_;  // the oldest first
  std::vector<Line> lines_;        // goes first, for its queries refer to questions
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_LOOKUPS_H_
