// The table of descriptors that came from the broker and on which libcurl has still to call
// connect(2), or that have to be shut down before they are closed.
//
// Process: worker. CurlAdapter enters a descriptor just before libcurl gets it; the shim's
// connect() takes the answer out, so each entry answers one call. That a socket is tracked stays
// until RemoveBrokerDescriptor(). An entry holds for the
// address that the broker was asked for and for no other: 7.88 closes the losers of Happy Eyeballs
// without a word, and another socket of the program may then have the number.
// Threads: any. Lock-free, so connect(2) stays fit for signal handlers and children of fork(2).
// Memory: 8 KiB for every 1024 descriptor numbers in use, kept until the process ends.

#ifndef SOCKGATE_CLIENT_BROKER_DESCRIPTORS_H_
#define SOCKGATE_CLIENT_BROKER_DESCRIPTORS_H_

#include <sys/socket.h>

namespace sockgate {

enum class ConnectAnswer {
  kNone,        // not the broker's, or not to that address: ask libc
  kConnected,   // 0
  kInProgress,  // -1 with EINPROGRESS
};

// In the place of what there was of the number before. With kNone nothing but `tracked` is
// remembered. False when the number is negative or beyond a million, or when memory is short.
bool EnterBrokerDescriptor(int fd, const sockaddr* address, socklen_t length, ConnectAnswer answer,
                           bool tracked = false);

// What connect(2) is to answer; the answer is gone afterwards unless the address differs. errno
// stays as it is.
ConnectAnswer TakeBrokerDescriptor(int fd, const sockaddr* address, socklen_t length);

// Whether it was entered as tracked. Does nothing for a descriptor that is not in the table.
bool RemoveBrokerDescriptor(int fd);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_BROKER_DESCRIPTORS_H_
