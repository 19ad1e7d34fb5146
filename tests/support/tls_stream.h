// A ByteStream through TLS, the server's side.
//
// Process, ownership, threads, hostile input and failure: as ByteStream. OpenSSL writes to the
// socket without MSG_NOSIGNAL, so the thread must have SIGPIPE blocked.

#ifndef SOCKGATE_TESTS_SUPPORT_TLS_STREAM_H_
#define SOCKGATE_TESTS_SUPPORT_TLS_STREAM_H_

#include <openssl/ssl.h>

#include <memory>

#include "proto/unique_fd.h"
#include "tests/support/byte_stream.h"

namespace sockgate::testing {

// Over a connected non-blocking socket. The handshake happens within the first reads and writes.
// Null when OpenSSL has no memory for it.
std::unique_ptr<ByteStream> MakeTlsStream(UniqueFd socket, SSL_CTX* context);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_TLS_STREAM_H_
