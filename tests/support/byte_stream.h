// ByteStream: what a connection of the loopback server reads and writes, in the clear or through
// TLS.
//
// Process: whichever embeds the server. Ownership: a stream owns its socket and ends the connection
// when destroyed, even where a forked child has inherited the descriptor. Threads: one per stream;
// no call blocks. The peer's bytes are hostile. Failure: a peer that has gone or broken the
// protocol is kClosed. No call raises SIGPIPE, provided that the thread has it blocked where the
// stream is TLS.

#ifndef SOCKGATE_TESTS_SUPPORT_BYTE_STREAM_H_
#define SOCKGATE_TESTS_SUPPORT_BYTE_STREAM_H_

#include <absl/strings/string_view.h>

#include <cstddef>
#include <memory>

#include "proto/unique_fd.h"

namespace sockgate::testing {

enum class IoStatus {
  kMoved,      // `bytes` of them, at least one
  kWantRead,   // nothing moved; try again when the socket is readable
  kWantWrite,  // nothing moved; try again when the socket is writable
  kClosed,     // nothing will move any more
};

struct IoResult {
  IoStatus status;
  size_t bytes;
};

class ByteStream {
 public:
  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  virtual ~ByteStream() = default;

  virtual IoResult Read(char* buffer, size_t size) = 0;

  // After kWantRead or kWantWrite the next call must offer the same bytes again.
  virtual IoResult Write(absl::string_view bytes) = 0;

  // Tells the peer that no more will come. Reading stays possible.
  virtual void CloseOutput() = 0;
};

// Over a connected non-blocking socket, in the clear.
std::unique_ptr<ByteStream> MakePlainStream(UniqueFd socket);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_BYTE_STREAM_H_
