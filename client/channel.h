// Channel: the worker's end of one channel: a request goes out, its reply comes back.
//
// Process: worker, confined. Owns the socket.
// Threads: one at a time; BrokerClient and AskedAhead see to that. But one may Start() while another
// is in Next().
// Blocking: until the reply, or until shortly (kDeadlineTickMs) after the deadline. A broker that
// dies ends the wait at once.
// Cost: one send(2) and one recvmsg(2) a call; nothing is allocated.
// Hostile input: none should come from a broker, but what comes is decoded as if it were. After
// kBrokerGone or kBadReply the channel is of no more use.

#ifndef SOCKGATE_CLIENT_CHANNEL_H_
#define SOCKGATE_CLIENT_CHANNEL_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "client/connect_error.h"
#include "proto/limits.h"
#include "proto/messages.h"
#include "proto/packet_socket.h"
#include "proto/unique_fd.h"

namespace sockgate {

class Channel {
 public:
  // `socket` has been prepared by PrepareWorkerEnd(), and no request has been sent on it.
  explicit Channel(UniqueFd socket) : socket_(std::move(socket)) {}

  // Sends `body`, a request, and waits for its reply. The reply is of the body's own kind. When it
  // says that a descriptor comes, `descriptor` has it. Views in the reply last until the next call.
  ConnectError::Kind Call(const decltype(Request::body)& body, std::chrono::milliseconds deadline,
                          Reply* reply, UniqueFd* descriptor);

  // Whether the request of the last call left this process, so that the broker may have acted on it.
  bool sent() const { return sent_; }

  // For several requests at a time. Sends `body` and returns with its id, without waiting for the
  // reply: kNoAnswer where the broker has not read enough of what was sent before.
  ConnectError::Kind Start(const decltype(Request::body)& body, uint32_t* id);

  // The next reply, to whichever request; kNoAnswer where there is none, with Wait::kYes after
  // kDeadlineTickMs. The caller tells by the id whose it is.
  ConnectError::Kind Next(Wait wait, Reply* reply, UniqueFd* descriptor);

  // Requests that left and have no reply yet.
  uint32_t owed() const { return owed_; }

  // Whether a request with this id has been sent. Ids wrap around.
  bool HasAsked(uint32_t id) const { return static_cast<int32_t>(last_id_ - id) >= 0; }

  // For a reply that nobody waits for any more. Where the broker holds a duplicate of its socket,
  // closing it here would leave the connection open.
  static void Drop(const Reply& reply, UniqueFd* descriptor);

  // Every call from now on is kBrokerGone.
  void Close() { socket_.Reset(); }

  // Close() after a call that gave up: its answer may lie there, with a socket that is tracked and so
  // has to be shut down. Does not wait.
  void Abandon();

  int descriptor() const { return socket_.get(); }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  ConnectError::Kind Send(const Request& request, Wait wait);
  ConnectError::Kind SendBy(const Request& request, TimePoint give_up);
  ConnectError::Kind Receive(TimePoint give_up, Reply* reply, UniqueFd* descriptor);

  UniqueFd socket_;
  uint32_t last_id_ = 0;
  std::atomic<uint32_t> owed_ = 0;
  bool sent_ = false;
  std::array<uint8_t, kMaxPacketBytes> buffer_;  // of the last reply
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_CHANNEL_H_
