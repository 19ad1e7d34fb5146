// ResolverLink: the broker's end of the channels to its resolver, whichever process that is now.
//
// Process: broker, the loop's thread. Owns the channels; the supply is owned too, the loop is lent.
// Never blocks. Questions wait here while there is no resolver, or while it does not read; how many
// is the asker's to bound.
// Hostile input: all that comes out of the channels. What no honest resolver says (no answer at
// all, an answer to what was never asked, garbage, a descriptor) costs it its life.
// Failure: when a resolver ends, the questions that it had are answered "try again" and the next
// one gets the others. One that is ordered gets all. When the supply ends, which only the death of
// its keeper brings about, every question is answered so from then on. The log tells.

#ifndef SOCKGATE_BROKER_RESOLVER_LINK_H_
#define SOCKGATE_BROKER_RESOLVER_LINK_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "broker/audit_log.h"
#include "broker/event_loop.h"
#include "broker/name_source.h"
#include "broker/resolver/socket_server.h"
#include "broker/resolver_state.h"
#include "broker/resolver_supply.h"
#include "proto/unique_fd.h"

namespace sockgate {

class ResolverLink final : public NameSource, public EventHandler {
 public:
  ResolverLink(EventLoop* loop, std::unique_ptr<ResolverSupply> supply);
  ~ResolverLink();
  ResolverLink(const ResolverLink&) = delete;
  ResolverLink& operator=(const ResolverLink&) = delete;

  // Lent; null: nobody wants to know.
  void SetLog(AuditLog* log) { log_ = log; }

  // An errno if the kernel refuses.
  int Begin();

  // The next resolver has these options, and it comes now.
  absl::Status Restart(const ResolverOptions& options);

  ResolverState state() const;

  void SetListener(NameListener* listener) override { listener_ = listener; }
  void Ask(uint32_t id, const HostName& name) override;
  void GiveUp(uint32_t id) override;
  void Forget(uint32_t id) override;

  void OnEvent(uint64_t cookie, uint32_t epoll_events) override;
  void OnDeadline(uint64_t cookie) override;

 private:
  struct Asked {
    ResolverQuestion question;
    TimePoint at;
    bool at_once;  // it had all the time there is
  };

  void OnSupply();
  void OnQuestions(uint32_t epoll_events);
  void OnSockets();
  void Adopt(ResolverChannels channels);
  // What is wrong with the packet; empty: nothing.
  absl::string_view OnPacket(absl::Span<const uint8_t> packet);
  void SendUnsent(bool at_once);
  void WatchQuestions();
  // `fault`: what no honest resolver does, for which it is killed; empty: it has ended.
  void LoseResolver(absl::string_view fault);
  void Disconnect();
  // What was sent, and is not answered, of which nobody wants an answer any more.
  std::optional<Asked> Withdraw(uint32_t id);
  void Tell(absl::string_view change, absl::string_view detail = {});
  void AnswerLater();

  EventLoop* const loop_;
  const std::unique_ptr<ResolverSupply> supply_;
  NameListener* listener_ = nullptr;
  AuditLog* log_ = nullptr;
  bool supply_ended_ = false;
  UniqueFd questions_;
  std::optional<SocketServer> sockets_;
  EventLoop::Id supply_watch_;
  EventLoop::Id questions_watch_;
  bool watches_for_room_ = false;  // of questions_, for EPOLLOUT too
  EventLoop::Id sockets_watch_;
  EventLoop::Id later_;
  std::deque<ResolverQuestion> unsent_;
  absl::flat_hash_map<uint32_t, Asked> sent_;  // what this resolver has not answered yet
  // Answers that may still come to what nobody waits for any more.
  size_t strays_ = 0;
  bool ready_ = false;      // it has read its files
  bool condemned_ = false;  // it is to be killed already
  uint32_t last_id_ = 0;
  TimePoint heard_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_LINK_H_
