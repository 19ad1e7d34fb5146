// TestWorker: the worker's end of one channel, well-behaved or not, as the test likes.
//
// Every wait ends after ten seconds with a failure of the test.

#ifndef SOCKGATE_TESTS_BROKER_TEST_WORKER_H_
#define SOCKGATE_TESTS_BROKER_TEST_WORKER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate::testing {

using Bytes = std::vector<uint8_t>;
using RequestBody = decltype(Request::body);

// The encoding of a valid request.
Bytes Encoded(uint32_t id, const RequestBody& body);

// To 192.0.2.1:443 with a deadline that no test reaches.
ConnectRequest ConnectTo(const char* address = "192.0.2.1", uint16_t port = 443,
                         ConnectMode mode = ConnectMode::kConnected);

ResolveRequest Resolve(absl::string_view name, NameFamily family = NameFamily::kAny);

struct Answer {
  Reply reply;
  UniqueFd descriptor;

  // Of any reply but hello's; a zeroed one for that.
  Result result() const;
  // Of a resolve reply: its addresses, IPv4 first.
  std::vector<std::string> addresses() const;
  uint32_t ttl_seconds() const;
  std::string canonical_name;
};

// The outcome, the limit and a time to try again.
void ExpectLimited(const Result& result, Reason reason);

class TestWorker {
 public:
  explicit TestWorker(UniqueFd channel) : channel_(std::move(channel)) {}

  // Sends the next request and returns its id.
  uint32_t Send(const RequestBody& body);
  // Sends what no well-behaved worker would. Returns 0 or an errno.
  int SendBytes(const Bytes& packet, const std::vector<int>& descriptors = {});

  // The next reply, whoever it is for.
  Answer Receive();
  // Send() and Receive(), which must belong together.
  Answer Ask(const RequestBody& body);
  // Ask() for a hello that the broker accepts.
  void Greet();

  // Nothing to read for the next 50 ms, neither a reply nor the end.
  bool Quiet();
  // Reads until the broker has closed the channel; false if it does not.
  bool Closed();

  int descriptor() const { return channel_.get(); }
  void Close() { channel_.Reset(); }

 private:
  UniqueFd channel_;
  uint32_t last_id_ = 0;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_BROKER_TEST_WORKER_H_
