// FakeBroker: the broker's end of a channel, which says what the test wants said.
//
// A reply may be sent before its request has come, so that most tests need no second thread.

#ifndef SOCKGATE_TESTS_CLIENT_FAKE_BROKER_H_
#define SOCKGATE_TESTS_CLIENT_FAKE_BROKER_H_

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate::testing {

class FakeBroker {
 public:
  FakeBroker();

  // The other end, for the code under test.
  UniqueFd TakeWorkerEnd() { return std::move(worker_end_); }

  void Reply(uint32_t id, const decltype(Reply::body)& body, int descriptor = -1);
  // A hello reply that is as it should be, to request 1.
  void Greet(uint32_t capabilities = 0, uint16_t max_outstanding = 256);
  void ReplyBytes(const std::vector<uint8_t>& packet, const std::vector<int>& descriptors = {});

  // The id of the next request, and its body, of which views last until the next call; 0 when none
  // came within that time.
  uint32_t NextRequest(decltype(Request::body)* body = nullptr, int patience_ms = 5000);

  // The other end is closed.
  bool HungUp() const;

  void Close() { end_.Reset(); }

 private:
  UniqueFd end_;
  UniqueFd worker_end_;
  std::array<uint8_t, kMaxPacketBytes> buffer_;
};

// The launcher's end of a channel source, which says what the test wants said; before it is asked,
// like FakeBroker.
class FakeSource {
 public:
  FakeSource();

  // For the code under test.
  UniqueFd TakeWorkerEnd() { return std::move(worker_end_); }

  // One answer. Channels are those of `broker`.
  void Give(FakeBroker& broker);
  void Say(uint8_t answer) { SayBytes({answer}); }
  void SayBytes(const std::vector<uint8_t>& packet, const std::vector<int>& descriptors = {});

  // How many requests came since the last call.
  int Asked();

  void Close() { end_.Reset(); }

 private:
  UniqueFd end_;
  UniqueFd worker_end_;
};

// A connect reply with this outcome.
ConnectReply Saying(Outcome outcome);

// A stream socket whose number of holders can be told from any other's: the far side sees the end
// when the last one closes it.
struct Marked {
  Marked();
  // All descriptors of the near side are closed.
  bool Closed() const;
  // Closes the test's own descriptor of the near side.
  void LetGo() { near_side.Reset(); }
  UniqueFd near_side;
  UniqueFd far_side;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_CLIENT_FAKE_BROKER_H_
