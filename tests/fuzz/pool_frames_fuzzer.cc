// Fuzzes what a pool's launcher reads from a worker: the stream is cut into frames, each is judged,
// and what is let through must encode to the very same bytes.
//
//   bazel run --config=fuzz //tests/fuzz:pool_frames_fuzzer -- -max_total_time=30

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "client/launch/pool/transfer_book.h"
#include "client/pool/frame.h"
#include "client/pool/transfer_codec.h"
#include "proto/check.h"

namespace sockgate::launch {
namespace {

constexpr uint32_t kWorker = 1;

// Two transfers of this worker, of which one is bounded, and one that waits.
TransferBook MakeBook() {
  TransferBook book;
  Transfer transfer;
  for (TransferId id = 1; id <= 3; ++id) {
    book.Add(id, transfer);
    if (id < 3) book.Begin(id, kWorker, {});
    transfer.max_filesize = 4;
  }
  return book;
}

// False: the worker would be ended.
bool Take(const Frame& frame, TransferBook* book) {
  if (book->Judge(frame, kWorker) != nullptr) return false;
  SOCKGATE_CHECK(frame.id == 1 || frame.id == 2);
  SOCKGATE_CHECK(book->Find(2)->body_bytes <= 4);
  if (frame.type == FrameType::kHead) {
    ResponseHead head;
    if (DecodeHead(frame.payload, &head) != nullptr) return false;
    SOCKGATE_CHECK(EncodeHead(head) == frame.payload);
  } else if (frame.type == FrameType::kDone) {
    TransferResult result;
    if (DecodeResult(frame.payload, &result) != nullptr) return false;
    SOCKGATE_CHECK(EncodeResult(result) == frame.payload);
    book->Erase(frame.id);
    book->Add(frame.id, Transfer());
    book->Begin(frame.id, kWorker, {});
  } else {
    SOCKGATE_CHECK(frame.type == FrameType::kBody);
  }
  return true;
}

// Until the launcher would end the worker, or has no more of it.
void Read(absl::Span<const uint8_t> bytes) {
  TransferBook book = MakeBook();
  FrameReader reader(Side::kWorker);
  Frame frame;
  size_t step = 1;  // pieces of all lengths
  while (true) {
    const FrameReader::Outcome outcome = reader.Next(&frame);
    if (outcome == FrameReader::Outcome::kBad) {
      SOCKGATE_CHECK(reader.fault()[0] != '\0');
      return;
    }
    if (outcome == FrameReader::Outcome::kFrame) {
      if (!Take(frame, &book)) return;
      continue;
    }
    if (bytes.empty()) return;
    const absl::Span<uint8_t> room = reader.Room();
    SOCKGATE_CHECK(!room.empty());
    const size_t got = std::min({room.size(), bytes.size(), step++});
    std::memcpy(room.data(), bytes.data(), got);
    reader.Got(got);
    bytes.remove_prefix(got);
  }
}

}  // namespace
}  // namespace sockgate::launch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sockgate::launch::Read({data, size});
  return 0;
}
