// SeenTargets: what one role was seen to reach, each place once.
//
// Process: the command, unconfined. Its memory grows with the number of different places, not with
// the log.

#ifndef SOCKGATE_TOOL_SEEN_TARGETS_H_
#define SOCKGATE_TOOL_SEEN_TARGETS_H_

#include <cstdint>
#include <map>
#include <string>

#include "proto/ip_address.h"
#include "proto/messages.h"
#include "tool/seen_decision.h"

namespace sockgate {

// How often, and when.
struct Sightings {
  uint64_t times = 0;
  Date first = 0;  // 0: no line had a date
  Date last = 0;

  void Add(const Sightings& other);
};

// What denied a place, or would have.
struct Denial {
  uint64_t policy = 0;  // its number; 0: not known
  uint32_t rule = 0;    // 0: no rule, but that the broker itself is there
  uint32_t line = 0;
  bool own = false;

  // Whether there was one at all.
  bool any() const { return rule != 0 || own; }
  friend bool operator<(const Denial& a, const Denial& b);
};

struct SeenPlace {
  IpAddress address;
  uint16_t port;
  Transport transport;

  // By address, as AddressOrder; then by transport and port.
  friend bool operator<(const SeenPlace& a, const SeenPlace& b);
};

// Why no rule can allow it, to be read on after it; empty: one can.
std::string FaultOf(const SeenPlace& place);

// A place that was reached by way of a name.
struct SeenHost {
  std::string name;
  uint16_t port;
  Transport transport;

  friend bool operator<(const SeenHost& a, const SeenHost& b);
};

// A UNIX socket, by Endpoint::unix_name().
struct SeenSocket {
  std::string name;
  Transport transport;

  friend bool operator<(const SeenSocket& a, const SeenSocket& b);
};

struct Seen {
  Sightings sightings;
  Denial denial;  // the last one
};

struct SeenTargets {
  std::map<SeenPlace, Seen> places;
  std::map<SeenHost, Seen> hosts;
  std::map<SeenSocket, Seen> sockets;

  // A public address that names led to counts for each of them, and not for itself. One of special
  // purpose counts for both: the names had to be looked up, but they are not to be trusted with
  // other such addresses, where whoever has them could lead the worker next. Which interface a
  // link-local address was meant on is lost: rules do not speak of it.
  void Add(const SeenDecision& decision);
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_SEEN_TARGETS_H_
