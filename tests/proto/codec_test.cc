#include "proto/codec.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/proto/sample_packets.h"

namespace sockgate {
namespace {

// Where a field lies in its packet.
constexpr size_t kTypeAt = 0;
constexpr size_t kVersionsAt = 12;
constexpr size_t kTransportAt = 8;
constexpr size_t kModeAt = 9;
constexpr size_t kPurposeAt = 10;
constexpr size_t kDeadlineAt = 12;
constexpr size_t kFamilyAt = 16;
constexpr size_t kUnixBytesAt = 17;
constexpr size_t kPortAt = 18;
constexpr size_t kScopeAt = 20;
constexpr size_t kAddressAt = 24;
constexpr size_t kNameFamilyAt = 8;
constexpr size_t kNameBytesAt = 9;
constexpr size_t kOutcomeAt = 8;
constexpr size_t kReasonAt = 9;
constexpr size_t kTrackedAt = 10;
constexpr size_t kErrorAt = 16;
constexpr size_t kRetryAt = 20;
constexpr size_t kV4CountAt = 28;
constexpr size_t kV6CountAt = 29;
constexpr size_t kCanonicalBytesAt = 30;

std::string Sample(const std::vector<SamplePacket>& samples, absl::string_view name) {
  for (const SamplePacket& sample : samples) {
    if (sample.name == name) return sample.bytes;
  }
  ADD_FAILURE() << "no sample " << name;
  return {};
}

std::string RequestBytes(absl::string_view name) { return Sample(SampleRequests(), name); }
std::string ReplyBytes(absl::string_view name) { return Sample(SampleReplies(), name); }

// `bytes` with those at `offset` replaced.
std::string With(std::string bytes, size_t offset, absl::string_view hex) {
  const std::string replacement = Bytes(hex);
  return bytes.replace(offset, replacement.size(), replacement);
}

std::string WithByte(std::string bytes, size_t offset, int value) {
  bytes[offset] = static_cast<char>(value);
  return bytes;
}

// "ok", or the field at fault.
std::string RequestVerdict(const std::string& bytes) {
  Request request;
  const Decoded decoded = DecodeRequest(AsPacket(bytes), &request);
  return decoded.ok() ? "ok" : decoded.bad_field();
}

std::string ReplyVerdict(const std::string& bytes) {
  Reply reply;
  const Decoded decoded = DecodeReply(AsPacket(bytes), &reply);
  return decoded.ok() ? "ok" : decoded.bad_field();
}

std::string Encoded(const Request& request) {
  std::array<uint8_t, kMaxPacketBytes> packet;
  return {packet.begin(), packet.begin() + EncodeRequest(request, absl::MakeSpan(packet))};
}

std::string Encoded(const Reply& reply) {
  std::array<uint8_t, kMaxPacketBytes> packet;
  return {packet.begin(), packet.begin() + EncodeReply(reply, absl::MakeSpan(packet))};
}

template <typename Body>
Body DecodedRequest(const std::string& bytes) {
  Request request;
  const Decoded decoded = DecodeRequest(AsPacket(bytes), &request);
  EXPECT_TRUE(decoded.ok()) << decoded.bad_field();
  return std::get<Body>(request.body);
}

template <typename Body>
Body DecodedReply(const std::string& bytes) {
  Reply reply;
  const Decoded decoded = DecodeReply(AsPacket(bytes), &reply);
  EXPECT_TRUE(decoded.ok()) << decoded.bad_field();
  return std::get<Body>(reply.body);
}

// The bytes of proto/PROTOCOL.md, "Worked example". Change both together.
TEST(ProtocolDocumentTest, TheWorkedExampleIsWhatTheCodecWrites) {
  ConnectRequest connect;
  connect.transport = Transport::kStream;
  connect.mode = ConnectMode::kConnected;
  connect.purpose = Purpose::kTransfer;
  connect.deadline_ms = 5000;
  connect.endpoint = Endpoint::Ip(*IpAddress::Parse("192.0.2.1"), 443);
  EXPECT_EQ(Encoded(Request{2, connect}), Bytes("02 00 00 00 02 00 00 00"
                                                "01 01 01 00 88 13 00 00"
                                                "01 00 bb 01 00 00 00 00"
                                                "c0 00 02 01 00 00 00 00"
                                                "00 00 00 00 00 00 00 00"));
  ConnectReply reply;
  reply.result.outcome = Outcome::kConnected;
  reply.result.rule = 1;
  EXPECT_EQ(Encoded(Reply{2, reply}), Bytes("82 00 00 00 02 00 00 00"
                                            "01 00 00 00 01 00 00 00"
                                            "00 00 00 00 00 00 00 00"));
}

TEST(CodecTest, ReadsHello) {
  const auto hello = DecodedRequest<Hello>(RequestBytes("hello"));
  EXPECT_EQ(hello.oldest_version, 1);
  EXPECT_EQ(hello.newest_version, 3);
  EXPECT_EQ(hello.capabilities, 0x80000001U);
}

TEST(CodecTest, ReadsConnectToIpv6) {
  Request request;
  const std::string bytes = RequestBytes("connect_ipv6");
  ASSERT_TRUE(DecodeRequest(AsPacket(bytes), &request).ok());
  EXPECT_EQ(request.id, 0xffffffffU);
  const auto& connect = std::get<ConnectRequest>(request.body);
  EXPECT_EQ(connect.transport, Transport::kDatagram);
  EXPECT_EQ(connect.mode, ConnectMode::kInProgress);
  EXPECT_EQ(connect.purpose, Purpose::kDirect);
  EXPECT_EQ(connect.deadline_ms, 150'000U);
  EXPECT_EQ(connect.endpoint.ToString(), "[fe80::1%2]:53");
}

TEST(CodecTest, ReadsConnectToIpv4AndUnix) {
  const auto endpoint = [](const char* name) {
    return DecodedRequest<ConnectRequest>(RequestBytes(name)).endpoint.ToString();
  };
  EXPECT_EQ(endpoint("connect_ipv4"), "192.0.2.1:443");
  EXPECT_EQ(endpoint("connect_unix_path"), "unix:/run/x");
  EXPECT_EQ(endpoint("connect_unix_abstract"), R"(unix:@a\x00\n)");
  EXPECT_EQ(endpoint("connect_unix_longest"), "unix:@" + std::string(107, 'a'));
}

TEST(CodecTest, ReadsResolve) {
  const std::string bytes = RequestBytes("resolve");
  const auto resolve = DecodedRequest<ResolveRequest>(bytes);
  EXPECT_EQ(resolve.family, NameFamily::kAny);
  EXPECT_EQ(resolve.name, "example.org");
  EXPECT_EQ(resolve.name.data(), bytes.data() + 12) << "a view, not a copy";
}

TEST(CodecTest, ReadsOpenChannel) {
  DecodedRequest<OpenChannelRequest>(RequestBytes("open_channel"));
  DecodedReply<OpenChannelReply>(ReplyBytes("open_channel_opened"));
}

TEST(CodecTest, ReadsHelloReply) {
  const auto hello = DecodedReply<HelloReply>(ReplyBytes("hello"));
  EXPECT_EQ(hello.version, 1);
  EXPECT_EQ(hello.max_outstanding, 256);
  EXPECT_EQ(hello.capabilities, 0U);
}

TEST(CodecTest, ReadsEveryPartOfAResult) {
  const auto result = [](const char* name) {
    return DecodedReply<ConnectReply>(ReplyBytes(name)).result;
  };
  EXPECT_EQ(result("connect_connected").outcome, Outcome::kConnected);
  EXPECT_EQ(result("connect_started").outcome, Outcome::kStarted);
  EXPECT_EQ(result("connect_denied").reason, Reason::kDenyRule);
  EXPECT_EQ(result("connect_denied").rule, 7U);
  EXPECT_EQ(result("connect_failed").error, 111U);
  EXPECT_EQ(result("connect_limited").reason, Reason::kOutstanding);
  EXPECT_EQ(result("connect_limited").retry_after_ms, 100U);
  EXPECT_EQ(result("connect_bad_request").reason, Reason::kPortZero);
}

TEST(CodecTest, ReadsWhetherAConnectionIsTracked) {
  const auto tracked = [](const char* name) {
    return DecodedReply<ConnectReply>(ReplyBytes(name)).tracked;
  };
  EXPECT_TRUE(tracked("connect_tracked"));
  EXPECT_FALSE(tracked("connect_connected"));
  ConnectReply reply;
  reply.result.outcome = Outcome::kConnected;
  reply.result.rule = 1;
  reply.tracked = true;
  EXPECT_EQ(Encoded(Reply{2, reply}), ReplyBytes("connect_tracked"));
}

TEST(CodecTest, ReadsResolveReply) {
  const std::string bytes = ReplyBytes("resolve_resolved");
  const auto reply = DecodedReply<ResolveReply>(bytes);
  EXPECT_EQ(reply.ttl_seconds, 300U);
  ASSERT_EQ(reply.v4_count, 1);
  ASSERT_EQ(reply.v6_count, 1);
  EXPECT_EQ(reply.v4[0].ToString(), "192.0.2.1");
  EXPECT_EQ(reply.v6[0].ToString(), "2001:db8::1");
  EXPECT_EQ(reply.canonical_name, "a.b.org");
}

TEST(CodecTest, ReadsAFullResolveReply) {
  const std::string bytes = ReplyBytes("resolve_most");
  const auto reply = DecodedReply<ResolveReply>(bytes);
  EXPECT_EQ(reply.v4[15].ToString(), "10.0.0.1");
  EXPECT_EQ(reply.v6[15].ToString(), "2001:db8::1");
  EXPECT_EQ(reply.canonical_name.size(), kMaxNameBytes);
}

// Every other type byte, in both directions: a request is no reply.
TEST(CodecTest, RefusesEveryUnknownType) {
  for (int type = 0; type < 256; ++type) {
    const std::string bytes = WithByte(RequestBytes("open_channel"), kTypeAt, type);
    if (type < 1 || type > 4) {
      EXPECT_EQ(RequestVerdict(bytes), "type") << type;
    }
    if (type < 0x81 || type > 0x84) {
      EXPECT_EQ(ReplyVerdict(bytes), "type") << type;
    }
  }
}

TEST(CodecTest, RefusesEveryEnumeratorThatIsNotListed) {
  const std::string connect = RequestBytes("connect_ipv4");
  const std::string resolve = RequestBytes("resolve");
  for (int value = 0; value < 256; ++value) {
    const auto ok_up_to = [value](int last, const char* field) {
      return 1 <= value && value <= last ? "ok" : field;
    };
    EXPECT_EQ(RequestVerdict(WithByte(connect, kTransportAt, value)), ok_up_to(2, "transport"));
    EXPECT_EQ(RequestVerdict(WithByte(connect, kModeAt, value)), ok_up_to(2, "mode"));
    EXPECT_EQ(RequestVerdict(WithByte(connect, kPurposeAt, value)), ok_up_to(2, "purpose"));
    EXPECT_EQ(RequestVerdict(WithByte(resolve, kNameFamilyAt, value)), ok_up_to(3, "name_family"));
    if (value == 0 || value > 3) {
      EXPECT_EQ(RequestVerdict(WithByte(connect, kFamilyAt, value)), "family");
    }
    const std::string reply = WithByte(ReplyBytes("connect_denied"), kReasonAt, value);
    EXPECT_EQ(ReplyVerdict(reply), value <= 22 ? "ok" : "reason") << value;
  }
}

// Each outcome with an error and a retry time exactly where it needs them.
TEST(CodecTest, EachReplyHasItsOwnSuccesses) {
  const struct {
    const char* sample;
    std::string outcomes;
  } kTable[] = {
      {"connect_connected", Bytes("01 02 05 06 07 08")},
      {"resolve_failed", Bytes("05 06 07 08")},  // and 04, with addresses
      {"open_channel_opened", Bytes("03 05 06 07 08")},
  };
  for (const auto& row : kTable) {
    for (int outcome = 0; outcome < 256; ++outcome) {
      std::string bytes = WithByte(ReplyBytes(row.sample), kOutcomeAt, outcome);
      bytes = WithByte(bytes, kErrorAt, outcome == 6 ? 111 : 0);
      bytes = WithByte(bytes, kRetryAt, outcome == 7 ? 100 : 0);
      const bool legal = row.outcomes.find(static_cast<char>(outcome)) != std::string::npos;
      const std::string expected = legal ? "ok" : "outcome";
      if (outcome == 4 && row.sample == std::string("resolve_failed")) continue;
      EXPECT_EQ(ReplyVerdict(bytes), expected) << row.sample << " " << outcome;
    }
  }
}

TEST(CodecTest, RefusesRequestsThatBreakABound) {
  const std::string hello = RequestBytes("hello");
  const std::string v4 = RequestBytes("connect_ipv4");
  const std::string v6 = RequestBytes("connect_ipv6");
  const std::string path = RequestBytes("connect_unix_path");
  const std::string abstract = RequestBytes("connect_unix_abstract");
  const std::string longest = RequestBytes("connect_unix_longest");
  const std::string resolve = RequestBytes("resolve");
  const struct {
    std::string bytes;
    const char* field;
  } kTable[] = {
      {"", "type"},
      {With(hello, 1, "01"), "header"},
      {With(hello, 3, "80"), "header"},
      {With(hello, 8, "54414753"), "magic"},
      {With(hello, kVersionsAt, "0000 0100"), "oldest_version"},
      {With(hello, kVersionsAt, "0300 0200"), "newest_version"},
      {With(hello, kVersionsAt, "ffff ffff"), "ok"},
      {With(v4, 11, "01"), "reserved"},
      {With(v4, kDeadlineAt, "00000000"), "deadline_ms"},
      {With(v4, kDeadlineAt, "01000000"), "ok"},
      {With(v4, kDeadlineAt, "f0490200"), "ok"},
      {With(v4, kDeadlineAt, "f1490200"), "deadline_ms"},
      {With(v4, kDeadlineAt, "ffffffff"), "deadline_ms"},
      {With(v4, kUnixBytesAt, "01"), "unix_bytes"},
      {With(v6, kUnixBytesAt, "01"), "unix_bytes"},
      {With(v4, kPortAt, "0000"), "ok"},
      {With(v4, kScopeAt, "01000000"), "scope_id"},
      {With(v6, kScopeAt, "ffffffff"), "ok"},
      {With(v4, kAddressAt + 4, "01"), "address"},
      {With(v4, kAddressAt + 15, "01"), "address"},
      {With(v6, kAddressAt, "00000000 00000000 0000ffff 7f000001"), "address"},
      {With(v6, kAddressAt, "00000000 00000000 0000fffe 7f000001"), "ok"},
      {With(path, kPortAt, "0100"), "port"},
      {With(path, kScopeAt, "00000001"), "scope_id"},
      {With(path, kUnixBytesAt, "00"), "unix_name"},
      {With(path, kAddressAt + 3, "00"), "unix_name"},
      {With(path, kAddressAt + 5, "00"), "unix_name"},
      {With(abstract, kUnixBytesAt, "01").substr(0, kAddressAt + 1), "unix_name"},
      {With(longest, kAddressAt, "2f"), "unix_name"},  // a pathname without room for its NUL
      {With(longest, kUnixBytesAt, "6d") + "a", "unix_name"},
      {With(longest, kUnixBytesAt, "ff") + std::string(147, 'a'), "unix_name"},
      {With(resolve, 10, "01"), "reserved"},
      {With(resolve, kNameBytesAt, "00").substr(0, 12), "name_bytes"},
      {With(resolve, kNameBytesAt, "0c"), "name"},
      {With(resolve, kNameBytesAt, "0a"), "trailing bytes"},
      {With(resolve, kNameBytesAt, "fe") + std::string(243, 'n'), "name"},
      {With(resolve, 12, "00"), "name"},
      {With(resolve, 22, "00"), "name"},
  };
  for (const auto& row : kTable) EXPECT_EQ(RequestVerdict(row.bytes), row.field) << &row - kTable;
}

TEST(CodecTest, RefusesRepliesThatBreakABound) {
  const std::string hello = ReplyBytes("hello");
  const std::string none = ReplyBytes("hello_no_common_version");
  const std::string connected = ReplyBytes("connect_connected");
  const std::string failed = ReplyBytes("connect_failed");
  const std::string limited = ReplyBytes("connect_limited");
  const std::string resolved = ReplyBytes("resolve_resolved");
  const std::string unresolved = ReplyBytes("resolve_failed");
  const std::string opened = ReplyBytes("open_channel_opened");
  const struct {
    std::string bytes;
    const char* field;
  } kTable[] = {
      {With(hello, 10, "0000"), "max_outstanding"},  // a version but no request
      {With(hello, 10, "0004"), "ok"},
      {With(hello, 10, "0104"), "max_outstanding"},
      {With(none, 10, "0100"), "max_outstanding"},  // requests but no version
      {With(connected, kTrackedAt, "01"), "ok"},
      {With(connected, kTrackedAt, "02"), "tracked"},
      {With(connected, kTrackedAt, "ff"), "tracked"},
      {With(failed, kTrackedAt, "01"), "tracked"},  // no socket that could be
      {With(limited, kTrackedAt, "01"), "tracked"},
      {With(resolved, kTrackedAt, "01"), "reserved"},
      {With(opened, kTrackedAt, "01"), "reserved"},
      {With(connected, kTrackedAt + 1, "80"), "reserved"},
      {With(connected, kErrorAt, "6f000000"), "error"},
      {With(connected, kRetryAt, "01000000"), "retry_after_ms"},
      {With(failed, kErrorAt, "00000000"), "error"},
      {With(failed, kErrorAt, "ff0f0000"), "ok"},
      {With(failed, kErrorAt, "00100000"), "error"},
      {With(failed, kErrorAt, "ffffffff"), "error"},
      {With(failed, kRetryAt, "01000000"), "retry_after_ms"},
      {With(limited, kRetryAt, "00000000"), "retry_after_ms"},
      {With(limited, kErrorAt, "01000000"), "error"},
      {With(resolved, kV4CountAt, "00 00"), "v4_count"},  // resolved to nothing
      {With(unresolved, kV4CountAt, "01") + "abcd", "v4_count"},
      {With(unresolved, kV6CountAt, "01") + std::string(16, 'a'), "v4_count"},
      {With(resolved, kV4CountAt, "11"), "v4_count"},
      {With(resolved, kV6CountAt, "11"), "v6_count"},
      {With(resolved, kV4CountAt, "10"), "v4"},
      {With(resolved, kV6CountAt, "10"), "v6"},
      {With(resolved, kV6CountAt + 2, "01"), "reserved"},
      {With(resolved, 36, "00000000 00000000 0000ffff 7f000001"), "v6"},
      {With(resolved, kCanonicalBytesAt, "08"), "canonical_name"},
      {With(resolved, kCanonicalBytesAt, "06"), "trailing bytes"},
      {With(resolved, kCanonicalBytesAt, "fe") + std::string(247, 'n'), "canonical_name"},
      {With(resolved, 53, "00"), "canonical_name"},
      {With(resolved, kCanonicalBytesAt, "00").substr(0, 52), "ok"},
  };
  for (const auto& row : kTable) EXPECT_EQ(ReplyVerdict(row.bytes), row.field) << &row - kTable;
}

TEST(CodecTest, EncodesNothingThatBreaksABoundOfItsOwn) {
  const std::string name(kMaxNameBytes + 1, 'n');
  ResolveRequest request;
  request.name = name;
  EXPECT_EQ(Encoded(Request{1, request}), "");
  request.name.remove_suffix(1);
  EXPECT_EQ(Encoded(Request{1, request}).size(), 12 + kMaxNameBytes);

  ResolveReply reply;
  reply.canonical_name = name;
  EXPECT_EQ(Encoded(Reply{1, reply}), "");
  reply.canonical_name = {};
  reply.v4_count = kMaxAddressesPerFamily + 1;
  EXPECT_EQ(Encoded(Reply{1, reply}), "");
  reply.v4_count = 0;
  reply.v6_count = kMaxAddressesPerFamily + 1;
  EXPECT_EQ(Encoded(Reply{1, reply}), "");
}

TEST(CodecTest, EncodesNothingIntoABufferThatIsTooSmall) {
  std::array<uint8_t, kMaxPacketBytes> packet;
  for (size_t room = 0; room < 20; ++room) {
    EXPECT_EQ(EncodeRequest({1, Hello()}, absl::MakeSpan(packet).first(room)), 0U);
  }
  EXPECT_EQ(EncodeRequest({1, Hello()}, absl::MakeSpan(packet).first(20)), 20U);
}

// What a decoder must not accept, the encoder's defaults must not produce.
TEST(CodecTest, DefaultsOfHelloAreValid) {
  EXPECT_EQ(RequestVerdict(Encoded(Request{1, Hello()})), "ok");
  EXPECT_EQ(ReplyVerdict(Encoded(Reply{1, HelloReply()})), "ok");
}

}  // namespace
}  // namespace sockgate
