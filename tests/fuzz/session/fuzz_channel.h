// FuzzChannel: the worker's end of one channel, and a model of what the broker owes it.
//
// Every packet that goes out is foreseen: one that the protocol takes is a request, which has
// exactly one reply with its id or sees its channel end; any other ends the channel. A reply that
// nobody waits for, one of the wrong kind and an end without a cause are bugs of the broker, and
// end the process.

#ifndef SOCKGATE_TESTS_FUZZ_SESSION_FUZZ_CHANNEL_H_
#define SOCKGATE_TESTS_FUZZ_SESSION_FUZZ_CHANNEL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/types/span.h"
#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate::fuzz {

using RequestBody = decltype(Request::body);
using Packet = std::vector<uint8_t>;

class FuzzChannel {
 public:
  struct Asked {
    size_t kind = 0;            // RequestBody's index
    bool may_be_going = false;  // a connect whose socket may come before its handshake has ended
    bool answered = false;
    Result result;  // zeroed for hello
  };

  // A minted channel needs no hello.
  FuzzChannel(UniqueFd end, size_t worker, bool greeted)
      : end_(std::move(end)), worker_(worker), greeted_(greeted) {}

  // A valid encoding with this id.
  static Packet Encoded(uint32_t id, const RequestBody& body);
  uint32_t next_id() const { return static_cast<uint32_t>(asked_.size() + 1); }

  // Sends if there is room. `descriptor` goes along, unless it is -1.
  void Send(const Packet& packet, int descriptor = -1);
  void Ask(const RequestBody& body) { Send(Encoded(next_id(), body)); }

  // Takes one reply or sees the end; false: there is nothing. A channel that came with the reply
  // goes to `minted`.
  bool Read(const std::function<void(UniqueFd end)>& minted);

  // Time passes, in which the broker may lose its patience with replies that wait to be read.
  void NoteTime();
  // The worker goes.
  void Close();

  bool open() const { return end_.valid(); }
  // Open, and the broker has no cause to end it.
  bool healthy() const { return open() && greeted_ && !doomed_; }
  bool doomed() const { return doomed_; }
  size_t worker() const { return worker_; }
  const std::vector<Asked>& asked() const { return asked_; }
  // How many of the requests have no reply.
  size_t unanswered() const;

 private:
  void Foresee(const Packet& packet, int descriptor);
  void ForeseeRequest(const Request& request);
  void Take(absl::Span<const uint8_t> packet, UniqueFd descriptor,
            const std::function<void(UniqueFd end)>& minted);

  UniqueFd end_;
  const size_t worker_;
  bool greeted_;
  bool doomed_ = false;  // the broker will end it
  bool unread_ = false;  // the broker may end it
  std::vector<Asked> asked_;
};

}  // namespace sockgate::fuzz

#endif  // SOCKGATE_TESTS_FUZZ_SESSION_FUZZ_CHANNEL_H_
