#include "broker/resolver/resolver_codec.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace sockgate {
namespace {

using Bytes = std::vector<uint8_t>;

template <typename Message>
Bytes Encoded(const Message& message) {
  Bytes bytes(kMaxPacketBytes);
  bytes.resize(Encode(message, absl::MakeSpan(bytes)));
  return bytes;
}

IpAddress Ip(const char* text) { return IpAddress::Parse(text).value(); }

ResolverAnswer FullAnswer() {
  ResolverAnswer answer;
  answer.id = 7;
  answer.status = ResolverStatus::kFound;
  answer.ttl_seconds = 300;
  answer.v4_count = kMaxAddressesPerFamily;
  answer.v6_count = kMaxAddressesPerFamily;
  for (IpAddress& address : answer.v4) address = Ip("192.0.2.1");
  for (IpAddress& address : answer.v6) address = Ip("2001:db8::1");
  answer.canonical_name = std::string(kMaxNameBytes, 'a');
  return answer;
}

ServerList FullList() {
  ServerList list;
  for (int i = 0; i < 15; ++i) list.servers.push_back(Endpoint::Ip(Ip("192.0.2.53"), 53));
  list.servers.push_back(Endpoint::Ip(Ip("fe80::1"), 5353, 2));
  return list;
}

// Any single change either decodes to a message that encodes to those very bytes, or is refused
// with a field.
template <typename Message, typename Decode>
void ExpectTotal(const Bytes& valid, Decode decode) {
  Message message;
  ASSERT_TRUE(decode(valid, &message).ok());
  EXPECT_EQ(Encoded(message), valid);
  for (size_t size = 0; size < valid.size(); ++size) {
    const Decoded decoded = decode(absl::MakeConstSpan(valid).first(size), &message);
    ASSERT_FALSE(decoded.ok()) << size;
    EXPECT_STRNE(decoded.bad_field(), "");
  }
  for (size_t at = 0; at < valid.size(); ++at) {
    for (int flip = 1; flip < 256; ++flip) {
      Bytes changed = valid;
      changed[at] ^= static_cast<uint8_t>(flip);
      const Decoded decoded = decode(changed, &message);
      if (decoded.ok()) {
        ASSERT_EQ(Encoded(message), changed) << at;
      }
    }
  }
  Bytes longer = valid;
  longer.push_back(0);
  EXPECT_STREQ(decode(longer, &message).bad_field(), "trailing bytes");
}

TEST(ResolverCodec, IsTotal) {
  ExpectTotal<ResolverQuestion>(Encoded(ResolverQuestion{9, "a.example"}), DecodeQuestion);
  ExpectTotal<ResolverAnswer>(Encoded(FullAnswer()), DecodeAnswer);
  ExpectTotal<ServerList>(Encoded(FullList()), DecodeServerList);
  ExpectTotal<SocketOrder>(Encoded(SocketOrder{3, 1, Transport::kStream}), DecodeSocketOrder);
  ExpectTotal<SocketReply>(Encoded(SocketReply{3, 111}), DecodeSocketReply);
}

TEST(ResolverCodec, TheLongestMessagesFit) {
  EXPECT_GT(Encoded(FullAnswer()).size(), 0U);
  EXPECT_GT(Encoded(FullList()).size(), 0U);
  EXPECT_GT(Encoded(ResolverQuestion{1, std::string(kMaxNameBytes, 'a')}).size(), 0U);
}

TEST(ResolverCodec, LaysOutAQuestionAsSpecified) {
  EXPECT_EQ(Encoded(ResolverQuestion{0x01020304, "ab"}),
            (Bytes{1, 0, 0, 0, 4, 3, 2, 1, 2, 0, 0, 0, 'a', 'b'}));
}

TEST(ResolverCodec, LaysOutAnAnswerAsSpecified) {
  ResolverAnswer answer;
  answer.id = 1;
  answer.status = ResolverStatus::kFound;
  answer.ttl_seconds = 60;
  answer.v4_count = 1;
  answer.v4[0] = Ip("192.0.2.1");
  answer.canonical_name = "c";
  EXPECT_EQ(Encoded(answer),
            (Bytes{0x81, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 1, 60, 0, 0, 0, 192, 0, 2, 1, 'c'}));
}

TEST(ResolverCodec, RefusesToEncodeWhatNoDecoderTakes) {
  EXPECT_TRUE(Encoded(ResolverQuestion{0, "a"}).empty());
  EXPECT_TRUE(Encoded(ResolverQuestion{1, ""}).empty());
  EXPECT_TRUE(Encoded(ResolverQuestion{1, std::string(254, 'a')}).empty());
  EXPECT_TRUE(Encoded(ResolverQuestion{1, "a b"}).empty());
  EXPECT_TRUE(Encoded(ServerList()).empty());
  EXPECT_TRUE(Encoded(ServerList{{Endpoint::Ip(Ip("192.0.2.1"), 0)}}).empty());
  EXPECT_TRUE(Encoded(SocketOrder{1, 16, Transport::kStream}).empty());
  EXPECT_TRUE(Encoded(SocketReply{1, 4096}).empty());
  ResolverAnswer answer = FullAnswer();
  answer.v4_count = 17;
  EXPECT_TRUE(Encoded(answer).empty());
  answer = FullAnswer();
  answer.status = ResolverStatus::kNoName;
  EXPECT_TRUE(Encoded(answer).empty());
  answer = FullAnswer();
  answer.v6[0] = Ip("::ffff:192.0.2.1");
  EXPECT_TRUE(Encoded(answer).empty());
}

const char* Fault(Bytes packet, size_t at, uint8_t value) {
  packet.at(at) = value;
  ResolverAnswer answer;
  return DecodeAnswer(packet, &answer).bad_field();
}

TEST(ResolverCodec, NamesTheFieldAtFault) {
  ResolverAnswer one = FullAnswer();
  one.v6_count = 0;
  const Bytes valid = Encoded(one);
  EXPECT_STREQ(Fault(valid, 0, 1), "type");
  EXPECT_STREQ(Fault(valid, 1, 1), "header");
  EXPECT_STREQ(Fault(valid, 4, 0), "id");
  EXPECT_STREQ(Fault(valid, 8, 0), "status");
  EXPECT_STREQ(Fault(valid, 8, 7), "status");
  EXPECT_STREQ(Fault(valid, 8, 2), "v4_count");
  EXPECT_STREQ(Fault(valid, 9, 17), "v4_count");
  EXPECT_STREQ(Fault(valid, 9, 0), "v4_count");
  EXPECT_STREQ(Fault(valid, 10, 17), "v6_count");
  EXPECT_STREQ(Fault(valid, 11, 254), "canonical_name_bytes");
  EXPECT_STREQ(Fault(valid, valid.size() - 1, '\n'), "canonical_name");
  EXPECT_STREQ(Fault(valid, valid.size() - 1, 0x80), "canonical_name");
}

TEST(ResolverCodec, AMappedAddressIsNoIpv6Address) {
  ResolverAnswer one = FullAnswer();
  one.v4_count = 0;
  one.v6_count = 1;
  one.canonical_name.clear();
  Bytes packet = Encoded(one);
  const Bytes mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
  std::copy(mapped.begin(), mapped.end(), packet.end() - 16);
  ResolverAnswer answer;
  EXPECT_STREQ(DecodeAnswer(packet, &answer).bad_field(), "v6");
}

TEST(ResolverCodec, AnAnswerThatDoesNotHoldHasNoTtl) {
  ResolverAnswer answer;
  answer.id = 1;
  for (int status = 1; status <= 6; ++status) {
    answer.status = static_cast<ResolverStatus>(status);
    answer.ttl_seconds = 5;
    EXPECT_EQ(!Encoded(answer).empty(), status == 2 || status == 3) << status;
    answer.ttl_seconds = 0;
    EXPECT_EQ(!Encoded(answer).empty(), status != 1) << status;
  }
}

}  // namespace
}  // namespace sockgate
