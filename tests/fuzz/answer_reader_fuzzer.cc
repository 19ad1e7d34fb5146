// Fuzzes the reader of DNS messages: whatever a name server says, and however the answers of two
// are put together, must be an answer that the broker's codec takes.
//
//   bazel run --config=fuzz //tests/fuzz:answer_reader_fuzzer -- -max_total_time=60

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "broker/resolver/answer_reader.h"
#include "broker/resolver/answers.h"
#include "broker/resolver/resolver_codec.h"
#include "proto/check.h"

namespace sockgate {
namespace {

void CheckCanBeSent(ResolverAnswer answer) {
  answer.id = 1;
  std::array<uint8_t, kMaxPacketBytes> packet;
  const size_t size = Encode(answer, absl::MakeSpan(packet));
  SOCKGATE_CHECK(size > 0);
  ResolverAnswer again;
  SOCKGATE_CHECK(DecodeAnswer(absl::MakeConstSpan(packet).first(size), &again).ok());
  SOCKGATE_CHECK(answer.ttl_seconds <= std::numeric_limits<int32_t>::max());
}

}  // namespace
}  // namespace sockgate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sockgate;
  const absl::Span<const uint8_t> bytes(data, size);
  CheckCanBeSent(ReadAnswer(bytes));
  // The same bytes as two messages.
  const ResolverAnswer one = ReadAnswer(bytes.first(size / 2));
  const ResolverAnswer other = ReadAnswer(bytes.subspan(size / 2));
  CheckCanBeSent(Merge(one, other));
  CheckCanBeSent(Merge(other, ReadAnswer(bytes)));
  return 0;
}
