#include "proto/codec.h"

#include <string>

#include "proto/bytes.h"

namespace sockgate {
namespace {

// "SGAT", so that a stray client of another protocol fails at its first message.
constexpr uint32_t kMagic = 0x54414753;

// The highest value that Linux returns as an error (MAX_ERRNO in include/linux/err.h).
constexpr uint32_t kMaxErrno = 4095;

enum class Type : uint8_t {
  kHello = 1,
  kConnect = 2,
  kResolve = 3,
  kOpenChannel = 4,
  kHelloReply = 0x81,
  kConnectReply = 0x82,
  kResolveReply = 0x83,
  kOpenChannelReply = 0x84,
};

// Reads an enumerator numbered from 1 to `last`.
template <typename E>
E Enumerator(ByteReader& in, const char* field, E last) {
  const uint8_t value = in.U8(field);
  if (value == 0 || value > static_cast<uint8_t>(last)) in.Fail(field);
  return static_cast<E>(value);
}

uint32_t AtMost(ByteReader& in, const char* field, uint32_t value, uint32_t most) {
  if (value > most) in.Fail(field);
  return value;
}

void PutHeader(ByteWriter& out, Type type, uint32_t id) {
  out.U8(static_cast<uint8_t>(type));
  out.Zeros(3);
  out.U32(id);
}

// Endpoint: family, UNIX name length, port, scope id; then 16 address bytes, or the name.

void PutEndpoint(ByteWriter& out, const Endpoint& endpoint) {
  const absl::string_view name = endpoint.unix_name();
  out.U8(static_cast<uint8_t>(endpoint.family()));
  out.U8(static_cast<uint8_t>(name.size()));
  out.U16(endpoint.port());
  out.U32(endpoint.scope_id());
  if (endpoint.is_ip()) {
    out.Copy(endpoint.ip().data(), endpoint.ip().size());
    out.Zeros(IpAddress::V6Bytes().size() - endpoint.ip().size());
  } else {
    out.Copy(name.data(), name.size());
  }
}

IpAddress GetV4(ByteReader& in, const char* field) {
  IpAddress::V4Bytes bytes;
  in.Copy(field, bytes.data(), bytes.size());
  return IpAddress::V4(bytes);
}

IpAddress GetV6(ByteReader& in, const char* field) {
  IpAddress::V6Bytes bytes;
  in.Copy(field, bytes.data(), bytes.size());
  const IpAddress address = IpAddress::V6(bytes);
  // A mapped address has its own family; a second spelling would have to be judged twice.
  if (address.is_v4()) in.Fail(field);
  return address;
}

Endpoint GetEndpoint(ByteReader& in) {
  const auto family = Enumerator(in, "family", Endpoint::Family::kUnix);
  const uint8_t name_bytes = in.U8("unix_bytes");
  const uint16_t port = in.U16("port");
  const uint32_t scope_id = in.U32("scope_id");
  if (family == Endpoint::Family::kUnix) {
    if (port != 0) in.Fail("port");
    if (scope_id != 0) in.Fail("scope_id");
    const auto endpoint = Endpoint::Unix(in.View("unix_name", name_bytes));
    if (!endpoint.has_value()) in.Fail("unix_name");
    return endpoint.value_or(Endpoint());
  }
  if (name_bytes != 0) in.Fail("unix_bytes");
  if (family == Endpoint::Family::kIpv6) return Endpoint::Ip(GetV6(in, "address"), port, scope_id);
  if (scope_id != 0) in.Fail("scope_id");
  const IpAddress address = GetV4(in, "address");
  in.Zeros("address", IpAddress::V6Bytes().size() - address.size());
  return Endpoint::Ip(address, port);
}

// Result: outcome, reason, a byte that is zero but in a connect reply (tracked), a zero byte, rule,
// error, retry_after_ms.

void PutResult(ByteWriter& out, const Result& result, bool tracked = false) {
  out.U8(static_cast<uint8_t>(result.outcome));
  out.U8(static_cast<uint8_t>(result.reason));
  out.U8(tracked ? 1 : 0);
  out.Zeros(1);
  out.U32(result.rule);
  out.U32(result.error);
  out.U32(result.retry_after_ms);
}

// `success` and `success_too` are the outcomes that only this kind of reply may have; `tracked` is
// null where it has no such byte.
Result GetResult(ByteReader& in, Outcome success, Outcome success_too, bool* tracked = nullptr) {
  Result result;
  result.outcome = Enumerator(in, "outcome", Outcome::kBadRequest);
  if (result.outcome < Outcome::kDenied && result.outcome != success &&
      result.outcome != success_too) {
    in.Fail("outcome");
  }
  const uint8_t reason = in.U8("reason");
  result.reason =
      static_cast<Reason>(AtMost(in, "reason", reason, static_cast<uint32_t>(kLastReason)));
  if (tracked != nullptr) *tracked = AtMost(in, "tracked", in.U8("tracked"), 1) == 1;
  in.Zeros("reserved", tracked != nullptr ? 1 : 2);
  result.rule = in.U32("rule");
  result.error = AtMost(in, "error", in.U32("error"), kMaxErrno);
  result.retry_after_ms = in.U32("retry_after_ms");
  if ((result.outcome == Outcome::kFailed) != (result.error != 0)) in.Fail("error");
  if ((result.outcome == Outcome::kLimited) != (result.retry_after_ms != 0)) {
    in.Fail("retry_after_ms");
  }
  return result;
}

// One Put and one Get for each message body.

void Put(ByteWriter& out, const Hello& hello) {
  out.U32(kMagic);
  out.U16(hello.oldest_version);
  out.U16(hello.newest_version);
  out.U32(hello.capabilities);
}

Hello GetHello(ByteReader& in) {
  Hello hello;
  if (in.U32("magic") != kMagic) in.Fail("magic");
  hello.oldest_version = in.U16("oldest_version");
  hello.newest_version = in.U16("newest_version");
  hello.capabilities = in.U32("capabilities");
  if (hello.oldest_version == 0) in.Fail("oldest_version");
  if (hello.newest_version < hello.oldest_version) in.Fail("newest_version");
  return hello;
}

void Put(ByteWriter& out, const ConnectRequest& connect) {
  out.U8(static_cast<uint8_t>(connect.transport));
  out.U8(static_cast<uint8_t>(connect.mode));
  out.U8(static_cast<uint8_t>(connect.purpose));
  out.Zeros(1);
  out.U32(connect.deadline_ms);
  PutEndpoint(out, connect.endpoint);
}

ConnectRequest GetConnect(ByteReader& in) {
  ConnectRequest connect;
  connect.transport = Enumerator(in, "transport", Transport::kDatagram);
  connect.mode = Enumerator(in, "mode", ConnectMode::kInProgress);
  connect.purpose = Enumerator(in, "purpose", Purpose::kDirect);
  in.Zeros("reserved", 1);
  connect.deadline_ms = AtMost(in, "deadline_ms", in.U32("deadline_ms"), kMaxDeadlineMs);
  if (connect.deadline_ms == 0) in.Fail("deadline_ms");
  connect.endpoint = GetEndpoint(in);
  return connect;
}

void Put(ByteWriter& out, const ResolveRequest& resolve) {
  out.U8(static_cast<uint8_t>(resolve.family));
  out.U8(static_cast<uint8_t>(resolve.name.size()));
  out.Zeros(2);
  out.Copy(resolve.name.data(), resolve.name.size());
}

absl::string_view GetName(ByteReader& in, const char* field, uint8_t size) {
  if (size > kMaxNameBytes) in.Fail(field);
  const absl::string_view name = in.View(field, size);
  if (name.find('\0') != absl::string_view::npos) in.Fail(field);
  return name;
}

ResolveRequest GetResolve(ByteReader& in) {
  ResolveRequest resolve;
  resolve.family = Enumerator(in, "name_family", NameFamily::kIpv6);
  const uint8_t name_bytes = in.U8("name_bytes");
  in.Zeros("reserved", 2);
  resolve.name = GetName(in, "name", name_bytes);
  if (name_bytes == 0) in.Fail("name_bytes");
  return resolve;
}

void Put(ByteWriter& /*out*/, const OpenChannelRequest& /*open*/) {}

void Put(ByteWriter& out, const HelloReply& hello) {
  out.U16(hello.version);
  out.U16(hello.max_outstanding);
  out.U32(hello.capabilities);
}

HelloReply GetHelloReply(ByteReader& in) {
  HelloReply hello;
  hello.version = in.U16("version");
  hello.max_outstanding = in.U16("max_outstanding");
  hello.capabilities = in.U32("capabilities");
  if (hello.max_outstanding > kMaxOutstanding) in.Fail("max_outstanding");
  if ((hello.version == 0) != (hello.max_outstanding == 0)) in.Fail("max_outstanding");
  return hello;
}

void Put(ByteWriter& out, const ConnectReply& reply) {
  PutResult(out, reply.result, reply.tracked);
}

ConnectReply GetConnectReply(ByteReader& in) {
  ConnectReply reply;
  reply.result = GetResult(in, Outcome::kConnected, Outcome::kStarted, &reply.tracked);
  if (reply.tracked && !CarriesDescriptor(reply.result.outcome)) in.Fail("tracked");
  return reply;
}

void Put(ByteWriter& out, const OpenChannelReply& reply) { PutResult(out, reply.result); }

// Addresses come bare, 4 bytes each and then 16 bytes each, after their counts.
void Put(ByteWriter& out, const ResolveReply& reply) {
  PutResult(out, reply.result);
  out.U32(reply.ttl_seconds);
  out.U8(reply.v4_count);
  out.U8(reply.v6_count);
  out.U8(static_cast<uint8_t>(reply.canonical_name.size()));
  out.Zeros(1);
  for (size_t i = 0; i < reply.v4_count; ++i) out.Copy(reply.v4[i].data(), reply.v4[i].size());
  for (size_t i = 0; i < reply.v6_count; ++i) out.Copy(reply.v6[i].data(), reply.v6[i].size());
  out.Copy(reply.canonical_name.data(), reply.canonical_name.size());
}

ResolveReply GetResolveReply(ByteReader& in) {
  ResolveReply reply;
  reply.result = GetResult(in, Outcome::kResolved, Outcome::kResolved);
  reply.ttl_seconds = in.U32("ttl_seconds");
  reply.v4_count =
      static_cast<uint8_t>(AtMost(in, "v4_count", in.U8("v4_count"), kMaxAddressesPerFamily));
  reply.v6_count =
      static_cast<uint8_t>(AtMost(in, "v6_count", in.U8("v6_count"), kMaxAddressesPerFamily));
  const uint8_t name_bytes = in.U8("canonical_name_bytes");
  in.Zeros("reserved", 1);
  const bool resolved = reply.result.outcome == Outcome::kResolved;
  if (resolved != (reply.v4_count + reply.v6_count > 0)) in.Fail("v4_count");
  if (!in.ok()) return reply;
  for (size_t i = 0; i < reply.v4_count; ++i) reply.v4[i] = GetV4(in, "v4");
  for (size_t i = 0; i < reply.v6_count; ++i) reply.v6[i] = GetV6(in, "v6");
  reply.canonical_name = GetName(in, "canonical_name", name_bytes);
  return reply;
}

Type TypeOf(const Request& request) {
  return static_cast<Type>(static_cast<size_t>(Type::kHello) + request.body.index());
}

Type TypeOf(const Reply& reply) {
  return static_cast<Type>(static_cast<size_t>(Type::kHelloReply) + reply.body.index());
}

bool NamesFit(const Request& request) {
  const auto* resolve = std::get_if<ResolveRequest>(&request.body);
  return resolve == nullptr || resolve->name.size() <= kMaxNameBytes;
}

bool NamesFit(const Reply& reply) {
  const auto* resolve = std::get_if<ResolveReply>(&reply.body);
  return resolve == nullptr || (resolve->canonical_name.size() <= kMaxNameBytes &&
                                resolve->v4_count <= kMaxAddressesPerFamily &&
                                resolve->v6_count <= kMaxAddressesPerFamily);
}

template <typename Message>
size_t Encode(const Message& message, absl::Span<uint8_t> packet) {
  if (!NamesFit(message)) return 0;
  ByteWriter out(packet);
  PutHeader(out, TypeOf(message), message.id);
  std::visit([&out](const auto& body) { Put(out, body); }, message.body);
  return out.ok() ? out.size() : 0;
}

// Reads the header and says which type follows.
Type GetHeader(ByteReader& in, uint32_t* id) {
  const auto type = static_cast<Type>(in.U8("type"));
  in.Zeros("header", 3);
  *id = in.U32("id");
  return type;
}

}  // namespace

size_t EncodeRequest(const Request& request, absl::Span<uint8_t> packet) {
  return Encode(request, packet);
}

size_t EncodeReply(const Reply& reply, absl::Span<uint8_t> packet) { return Encode(reply, packet); }

Decoded DecodeRequest(absl::Span<const uint8_t> packet, Request* request) {
  ByteReader in(packet);
  const Type type = GetHeader(in, &request->id);
  if (type == Type::kHello) {
    request->body = GetHello(in);
  } else if (type == Type::kConnect) {
    request->body = GetConnect(in);
  } else if (type == Type::kResolve) {
    request->body = GetResolve(in);
  } else if (type == Type::kOpenChannel) {
    request->body = OpenChannelRequest();
  } else {
    in.Fail("type");
  }
  in.End();
  return in.ok() ? Decoded::Ok() : Decoded::Bad(in.failed_field());
}

Decoded DecodeReply(absl::Span<const uint8_t> packet, Reply* reply) {
  ByteReader in(packet);
  const Type type = GetHeader(in, &reply->id);
  if (type == Type::kHelloReply) {
    reply->body = GetHelloReply(in);
  } else if (type == Type::kConnectReply) {
    reply->body = GetConnectReply(in);
  } else if (type == Type::kResolveReply) {
    reply->body = GetResolveReply(in);
  } else if (type == Type::kOpenChannelReply) {
    reply->body = OpenChannelReply{GetResult(in, Outcome::kOpened, Outcome::kOpened)};
  } else {
    in.Fail("type");
  }
  in.End();
  return in.ok() ? Decoded::Ok() : Decoded::Bad(in.failed_field());
}

}  // namespace sockgate
