// RawChannel: a worker's end of a channel in the hands of somebody who writes what they like.
//
// Process: a confined worker, in a test; send(2) and recv(2) on the channel are what its filter
// lets it have.

#ifndef SOCKGATE_TESTS_ESCAPE_BROKER_RAW_CHANNEL_H_
#define SOCKGATE_TESTS_ESCAPE_BROKER_RAW_CHANNEL_H_

#include <cstdint>
#include <string>

#include "proto/messages.h"
#include "proto/unique_fd.h"

namespace sockgate::escape {

// One valid request.
std::string PacketOf(uint32_t id, const decltype(Request::body)& body);

ConnectRequest ConnectTo(const char* address, uint16_t port);

class RawChannel {
 public:
  // The descriptor is lent.
  explicit RawChannel(int channel) : channel_(channel) {}

  // False: the broker has closed the channel.
  bool Send(const std::string& packet) const;

  // The next packet from the broker; empty when it has closed the channel or says nothing for two
  // seconds. `descriptor` gets what comes with it, which is otherwise closed.
  std::string Receive(UniqueFd* descriptor = nullptr) const;

  // What the next reply says, but to a hello; kBadRequest when there is none.
  Result NextResult(UniqueFd* descriptor = nullptr) const;

  // Whether the broker closes the channel, whatever it says before that.
  bool IsClosed() const;

 private:
  const int channel_;
};

}  // namespace sockgate::escape

#endif  // SOCKGATE_TESTS_ESCAPE_BROKER_RAW_CHANNEL_H_
