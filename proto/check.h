// SOCKGATE_CHECK: ends the process when sockgate itself is wrong.
//
// For a state that only a bug of ours can reach, never for what a peer, the system or a user does.

#ifndef SOCKGATE_PROTO_CHECK_H_
#define SOCKGATE_PROTO_CHECK_H_

#include <cstdio>
#include <cstdlib>

#define SOCKGATE_CHECK(condition)                                                             \
  do {                                                                                        \
    if (!(condition)) {                                                                       \
      static_cast<void>(                                                                      \
          std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition)); \
      std::abort();                                                                           \
    }                                                                                         \
  } while (false)

#endif  // SOCKGATE_PROTO_CHECK_H_
