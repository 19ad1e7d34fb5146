// Frames: what a pool's launcher and a worker of its say to each other, over one SOCK_STREAM pair.
//
//   bytes 0 to 3   length of the payload, little-endian
//   byte 4         type
//   bytes 5 to 7   0
//   bytes 8 to 15  the transfer's id
//   then           the payload
//
// | type    | from     | payload                | for each transfer                            |
// |---------|----------|------------------------|----------------------------------------------|
// | kOrder  | launcher | EncodeTransfer()       | once                                         |
// | kCancel | launcher | none                   | at most once, after kOrder                   |
// | kHead   | worker   | EncodeHead()           | at most once, before kBody                   |
// | kBody   | worker   | a piece, not empty     | any number, after kHead                      |
// | kDone   | worker   | EncodeResult()         | once, the last                               |
//
// Process: both.
// Ownership: reader and writer own their buffers, and no socket.
// Threads: one at a time. Nothing blocks.
// Hostile inputs: what a FrameReader reads. A frame is refused by its first sixteen bytes: a type
// that the other side does not send, or a payload longer than that type may have. So a reader holds
// at most kReadBytes and the longest frame of its table. The order of frames, and whose id it is, is
// for the caller to judge.
// Failure: kBad, and fault() says why; the reader is of no use any more.

#ifndef SOCKGATE_CLIENT_POOL_FRAME_H_
#define SOCKGATE_CLIENT_POOL_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/pool/transfer.h"

namespace sockgate {

enum class FrameType : uint8_t { kOrder = 1, kCancel = 2, kHead = 3, kBody = 4, kDone = 5 };
enum class Side { kLauncher, kWorker };

struct Frame {
  FrameType type = FrameType::kOrder;
  TransferId id = 0;
  absl::string_view payload;  // the reader's, until its next call
};

inline constexpr size_t kFrameHeaderBytes = 16;
inline constexpr size_t kReadBytes = size_t{64} * 1024;

class FrameReader {
 public:
  enum class Outcome { kFrame, kMore, kBad };

  // `from` is the side whose frames are read.
  explicit FrameReader(Side from) : from_(from) {}

  // Where what is read from the socket goes; not empty once Next() has said kMore. Got() says how
  // much it was.
  absl::Span<uint8_t> Room();
  void Got(size_t bytes) { end_ += bytes; }

  Outcome Next(Frame* frame);

  const char* fault() const { return fault_; }

 private:
  Outcome Refuse(const char* fault);
  size_t unread() const { return end_ - begin_; }

  Side from_;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t wanted_ = kFrameHeaderBytes;  // bytes from begin_ on, for the next frame
  const char* fault_ = nullptr;
};

class FrameWriter {
 public:
  enum class Outcome { kAll, kSome, kGone };

  void Put(FrameType type, TransferId id, absl::string_view payload = {});

  // Sends what the socket takes now. kSome: the rest when it is writable. kGone: nobody reads.
  Outcome Flush(int socket);

  size_t unsent() const { return bytes_.size() - sent_; }

 private:
  std::string bytes_;
  size_t sent_ = 0;
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_POOL_FRAME_H_
