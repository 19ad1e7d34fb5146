// The decoders are total: every damaged packet is refused with a field that PROTOCOL.md knows, or
// is the one encoding of another valid message. Every decode below runs on a buffer of exactly the
// packet's size, so that AddressSanitizer sees a read past its end.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "proto/codec.h"
#include "proto/limits.h"
#include "tests/proto/sample_packets.h"

namespace sockgate {
namespace {

Decoded Decode(absl::Span<const uint8_t> packet, Request* request) {
  return DecodeRequest(packet, request);
}
Decoded Decode(absl::Span<const uint8_t> packet, Reply* reply) {
  return DecodeReply(packet, reply);
}
size_t Encode(const Request& request, absl::Span<uint8_t> packet) {
  return EncodeRequest(request, packet);
}
size_t Encode(const Reply& reply, absl::Span<uint8_t> packet) { return EncodeReply(reply, packet); }

bool IsDocumentedField(const char* field) {
  static const auto& fields = *new std::set<absl::string_view>{"type",
                                                               "header",
                                                               "id",
                                                               "trailing bytes",
                                                               "magic",
                                                               "oldest_version",
                                                               "newest_version",
                                                               "capabilities",
                                                               "transport",
                                                               "mode",
                                                               "purpose",
                                                               "reserved",
                                                               "deadline_ms",
                                                               "family",
                                                               "unix_bytes",
                                                               "port",
                                                               "scope_id",
                                                               "address",
                                                               "unix_name",
                                                               "name_family",
                                                               "name_bytes",
                                                               "name",
                                                               "version",
                                                               "max_outstanding",
                                                               "outcome",
                                                               "tracked",
                                                               "reason",
                                                               "rule",
                                                               "error",
                                                               "retry_after_ms",
                                                               "ttl_seconds",
                                                               "v4_count",
                                                               "v6_count",
                                                               "v4",
                                                               "v6",
                                                               "canonical_name_bytes",
                                                               "canonical_name"};
  return fields.count(field) == 1;
}

// Decodes `bytes` as a Message. True when it is valid.
template <typename Message>
bool DecodesOrNamesAField(const std::string& bytes) {
  const auto exact = std::make_unique<uint8_t[]>(bytes.size());
  std::memcpy(exact.get(), bytes.data(), bytes.size());
  Message message;
  const Decoded decoded = Decode({exact.get(), bytes.size()}, &message);
  if (!decoded.ok()) {
    EXPECT_TRUE(IsDocumentedField(decoded.bad_field())) << decoded.bad_field();
    return false;
  }
  std::array<uint8_t, kMaxPacketBytes> again;
  const size_t size = Encode(message, absl::MakeSpan(again));
  EXPECT_EQ(std::string(again.begin(), again.begin() + size), bytes);
  return true;
}

template <typename Message>
void Truncate(const SamplePacket& sample) {
  for (size_t size = 0; size < sample.bytes.size(); ++size) {
    EXPECT_FALSE(DecodesOrNamesAField<Message>(sample.bytes.substr(0, size)))
        << sample.name << " cut to " << size;
  }
}

template <typename Message>
void Extend(const SamplePacket& sample) {
  for (const char extra : {'\0', 'x', '\xff'}) {
    EXPECT_FALSE(DecodesOrNamesAField<Message>(sample.bytes + extra)) << sample.name;
    EXPECT_FALSE(DecodesOrNamesAField<Message>(sample.bytes + std::string(400, extra)))
        << sample.name;
  }
}

template <typename Message>
void SetEveryByteToEveryValue(const SamplePacket& sample) {
  std::string bytes = sample.bytes;
  for (size_t i = 0; i < bytes.size() && !::testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE(sample.name + ", byte " + std::to_string(i));
    for (int value = 0; value < 256; ++value) {
      bytes[i] = static_cast<char>(value);
      DecodesOrNamesAField<Message>(bytes);
    }
    bytes[i] = sample.bytes[i];
  }
}

// Two bits at a time, so that a length and what it counts can both be wrong: the fields that stand
// between the header and what they measure.
template <typename Message>
void FlipEveryPairOfBits(const SamplePacket& sample) {
  std::string bytes = sample.bytes;
  const size_t bits = std::min<size_t>(bytes.size(), 32) * 8;
  const auto flip = [&bytes](size_t bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  };
  for (size_t first = kHeaderBytes * 8; first < bits && !::testing::Test::HasFailure(); ++first) {
    flip(first);
    for (size_t second = first + 1; second < bits; ++second) {
      flip(second);
      DecodesOrNamesAField<Message>(bytes);
      flip(second);
    }
    flip(first);
  }
}

template <typename Check, typename OtherCheck>
void ForEverySample(Check check_request, OtherCheck check_reply) {
  for (const SamplePacket& sample : SampleRequests()) check_request(sample);
  for (const SamplePacket& sample : SampleReplies()) check_reply(sample);
}

TEST(CodecTotalityTest, EverySampleIsValidAndCanonical) {
  for (const SamplePacket& sample : SampleRequests()) {
    EXPECT_TRUE(DecodesOrNamesAField<Request>(sample.bytes)) << sample.name;
    EXPECT_FALSE(DecodesOrNamesAField<Reply>(sample.bytes)) << sample.name;
  }
  for (const SamplePacket& sample : SampleReplies()) {
    EXPECT_TRUE(DecodesOrNamesAField<Reply>(sample.bytes)) << sample.name;
    EXPECT_FALSE(DecodesOrNamesAField<Request>(sample.bytes)) << sample.name;
  }
}

TEST(CodecTotalityTest, RefusesEveryTruncation) {
  ForEverySample(Truncate<Request>, Truncate<Reply>);
}

TEST(CodecTotalityTest, RefusesTrailingBytes) { ForEverySample(Extend<Request>, Extend<Reply>); }

TEST(CodecTotalityTest, SurvivesEveryValueOfEveryByte) {
  ForEverySample(SetEveryByteToEveryValue<Request>, SetEveryByteToEveryValue<Reply>);
}

TEST(CodecTotalityTest, SurvivesEveryPairOfFlippedBits) {
  ForEverySample(FlipEveryPairOfBits<Request>, FlipEveryPairOfBits<Reply>);
}

TEST(CodecTotalityTest, RefusesRunsOfOneByte) {
  for (int value = 0; value < 256; ++value) {
    for (size_t size = 0; size <= 64; ++size) {
      const std::string bytes(size, static_cast<char>(value));
      EXPECT_FALSE(DecodesOrNamesAField<Request>(bytes)) << value << " x " << size;
      EXPECT_FALSE(DecodesOrNamesAField<Reply>(bytes)) << value << " x " << size;
    }
  }
}

}  // namespace
}  // namespace sockgate
