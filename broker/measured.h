// Measured: how a TCP connection stands, as far as the kernel knows it.
//
// Process: broker. Any thread; never blocks; takes nothing away from the socket, not even its
// error. All zero for a socket that is not TCP's.
// The kernel counts a FIN as a byte in some of its numbers; here none is.
//
// Sources: tcp(7), include/uapi/linux/tcp.h, RFC 4898; net/ipv4/tcp_input.c and tcp_output.c for
// what is counted when.

#ifndef SOCKGATE_BROKER_MEASURED_H_
#define SOCKGATE_BROKER_MEASURED_H_

#include <cstdint>

namespace sockgate {

struct Measured {
  enum class End : uint8_t {
    kNone,      // it goes on
    kByHolder,  // whoever holds the socket shut it down before the peer did
    kByPeer,    // the peer's FIN came first
    kBroken,    // neither: it was reset, or the kernel gave it up
  };

  // What the kernel still knows: once both FINs are acknowledged it says kByHolder whoever was
  // first.
  End end = End::kNone;
  uint64_t bytes_sent = 0;  // that were written to it, sent or not
  // That came. Once the peer's FIN has come no more of them will; but after a reset the kernel no
  // longer tells whether there was one, and this may be one too many.
  uint64_t bytes_received = 0;
};

Measured MeasureTcp(int socket);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_MEASURED_H_
