#include "broker/resolver/resolver_codec.h"

#include <algorithm>
#include <string>

#include "broker/resolver/resolver_options.h"
#include "broker/resolver/server_bytes.h"
#include "proto/bytes.h"

namespace sockgate {
namespace {

// The highest value that Linux returns as an error (MAX_ERRNO in include/linux/err.h).
constexpr uint32_t kMaxErrno = 4095;

// Requests have the upper bit clear, replies have it set.
enum class Type : uint8_t {
  kQuestion = 1,
  kServerList = 2,
  kSocketOrder = 3,
  kAnswer = 0x81,
  kSocketReply = 0x83,
};

// DNS names come from strangers and end up in logs: escapes are the resolver's business (\DDD, RFC
// 1035 section 5.1), and what is not printable is no name here.
bool IsNameByte(char c) { return c > ' ' && c <= '~'; }

bool IsName(absl::string_view name) {
  return name.size() <= kMaxNameBytes && std::all_of(name.begin(), name.end(), IsNameByte);
}

// An answer that holds says for how long; the others are no answers.
bool MayHaveTtl(ResolverStatus status) {
  return status == ResolverStatus::kFound || status == ResolverStatus::kNoName ||
         status == ResolverStatus::kNoAddress;
}

void PutHeader(ByteWriter& out, Type type, uint32_t id) {
  out.U8(static_cast<uint8_t>(type));
  out.Zeros(3);
  out.U32(id);
}

uint32_t GetHeader(ByteReader& in, Type type) {
  if (in.U8("type") != static_cast<uint8_t>(type)) in.Fail("type");
  in.Zeros("header", 3);
  return in.U32("id");
}

std::string GetName(ByteReader& in, const char* field, uint8_t size) {
  const absl::string_view name = in.View(field, size);
  if (!IsName(name)) in.Fail(field);
  return std::string(name);
}

uint8_t GetCount(ByteReader& in, const char* field, size_t most) {
  const uint8_t count = in.U8(field);
  if (count > most) in.Fail(field);
  return count;
}

// Whether a decoder would take it, as far as the type alone does not say so.

bool Fits(const ResolverQuestion& question) {
  return question.id != 0 && !question.name.empty() && IsName(question.name);
}

template <typename Addresses>
bool AllOf(const Addresses& addresses, size_t count, size_t bytes) {
  if (count > addresses.size()) return false;
  return std::all_of(addresses.begin(), addresses.begin() + count,
                     [bytes](const IpAddress& address) { return address.size() == bytes; });
}

bool Fits(const ResolverAnswer& answer) {
  const bool found = answer.status == ResolverStatus::kFound;
  return answer.id != 0 && AllOf(answer.v4, answer.v4_count, 4) &&
         AllOf(answer.v6, answer.v6_count, 16) &&
         found == (answer.v4_count + answer.v6_count > 0) &&
         (answer.ttl_seconds == 0 || MayHaveTtl(answer.status)) &&
         (answer.canonical_name.empty() || found) && IsName(answer.canonical_name);
}

bool Fits(const ServerList& list) {
  const auto usable = [](const Endpoint& server) { return server.is_ip() && server.port() != 0; };
  return !list.servers.empty() && list.servers.size() <= kMaxResolverServers &&
         std::all_of(list.servers.begin(), list.servers.end(), usable);
}

size_t Written(const ByteWriter& out) { return out.ok() ? out.size() : 0; }

Decoded Verdict(ByteReader& in) {
  in.End();
  return in.ok() ? Decoded::Ok() : Decoded::Bad(in.failed_field());
}

}  // namespace

size_t Encode(const ResolverQuestion& question, absl::Span<uint8_t> packet) {
  if (!Fits(question)) return 0;
  ByteWriter out(packet);
  PutHeader(out, Type::kQuestion, question.id);
  out.U8(static_cast<uint8_t>(question.name.size()));
  out.Zeros(3);
  out.Copy(question.name.data(), question.name.size());
  return Written(out);
}

Decoded DecodeQuestion(absl::Span<const uint8_t> packet, ResolverQuestion* question) {
  ByteReader in(packet);
  question->id = GetHeader(in, Type::kQuestion);
  if (question->id == 0) in.Fail("id");
  const uint8_t name_bytes = GetCount(in, "name_bytes", kMaxNameBytes);
  if (name_bytes == 0) in.Fail("name_bytes");
  in.Zeros("reserved", 3);
  question->name = GetName(in, "name", name_bytes);
  return Verdict(in);
}

size_t Encode(const ResolverAnswer& answer, absl::Span<uint8_t> packet) {
  if (!Fits(answer)) return 0;
  ByteWriter out(packet);
  PutHeader(out, Type::kAnswer, answer.id);
  out.U8(static_cast<uint8_t>(answer.status));
  out.U8(answer.v4_count);
  out.U8(answer.v6_count);
  out.U8(static_cast<uint8_t>(answer.canonical_name.size()));
  out.U32(answer.ttl_seconds);
  for (size_t i = 0; i < answer.v4_count; ++i) out.Copy(answer.v4[i].data(), 4);
  for (size_t i = 0; i < answer.v6_count; ++i) out.Copy(answer.v6[i].data(), 16);
  out.Copy(answer.canonical_name.data(), answer.canonical_name.size());
  return Written(out);
}

Decoded DecodeAnswer(absl::Span<const uint8_t> packet, ResolverAnswer* answer) {
  ByteReader in(packet);
  *answer = ResolverAnswer();
  answer->id = GetHeader(in, Type::kAnswer);
  if (answer->id == 0) in.Fail("id");
  answer->status = static_cast<ResolverStatus>(
      GetCount(in, "status", static_cast<size_t>(ResolverStatus::kFailed)));
  if (answer->status < ResolverStatus::kFound) in.Fail("status");
  const bool found = answer->status == ResolverStatus::kFound;
  answer->v4_count = GetCount(in, "v4_count", kMaxAddressesPerFamily);
  answer->v6_count = GetCount(in, "v6_count", kMaxAddressesPerFamily);
  if (found != (answer->v4_count + answer->v6_count > 0)) in.Fail("v4_count");
  const uint8_t name_bytes = GetCount(in, "canonical_name_bytes", found ? kMaxNameBytes : 0);
  answer->ttl_seconds = in.U32("ttl_seconds");
  if (answer->ttl_seconds != 0 && !MayHaveTtl(answer->status)) in.Fail("ttl_seconds");
  if (!in.ok()) return Verdict(in);
  for (size_t i = 0; i < answer->v4_count; ++i) answer->v4[i] = GetV4(in, "v4");
  for (size_t i = 0; i < answer->v6_count; ++i) answer->v6[i] = GetV6(in, "v6");
  answer->canonical_name = GetName(in, "canonical_name", name_bytes);
  return Verdict(in);
}

size_t Encode(const ServerList& list, absl::Span<uint8_t> packet) {
  if (!Fits(list)) return 0;
  ByteWriter out(packet);
  PutHeader(out, Type::kServerList, 0);
  out.U8(static_cast<uint8_t>(list.servers.size()));
  out.Zeros(3);
  for (const Endpoint& server : list.servers) PutServer(out, server);
  return Written(out);
}

Decoded DecodeServerList(absl::Span<const uint8_t> packet, ServerList* list) {
  ByteReader in(packet);
  if (GetHeader(in, Type::kServerList) != 0) in.Fail("id");
  const uint8_t count = GetCount(in, "servers", kMaxResolverServers);
  if (count == 0) in.Fail("servers");
  in.Zeros("reserved", 3);
  list->servers.clear();
  for (size_t i = 0; i < count && in.ok(); ++i) {
    list->servers.push_back(GetServer(in));
    if (list->servers.back().port() == 0) in.Fail("port");
  }
  return Verdict(in);
}

size_t Encode(const SocketOrder& order, absl::Span<uint8_t> packet) {
  if (order.server >= kMaxResolverServers) return 0;
  ByteWriter out(packet);
  PutHeader(out, Type::kSocketOrder, order.id);
  out.U8(order.server);
  out.U8(static_cast<uint8_t>(order.transport));
  out.Zeros(2);
  return Written(out);
}

Decoded DecodeSocketOrder(absl::Span<const uint8_t> packet, SocketOrder* order) {
  ByteReader in(packet);
  order->id = GetHeader(in, Type::kSocketOrder);
  order->server = GetCount(in, "server", kMaxResolverServers - 1);
  order->transport =
      static_cast<Transport>(GetCount(in, "transport", static_cast<size_t>(Transport::kDatagram)));
  if (order->transport < Transport::kStream) in.Fail("transport");
  in.Zeros("reserved", 2);
  return Verdict(in);
}

size_t Encode(const SocketReply& reply, absl::Span<uint8_t> packet) {
  if (reply.error > kMaxErrno) return 0;
  ByteWriter out(packet);
  PutHeader(out, Type::kSocketReply, reply.id);
  out.U32(reply.error);
  return Written(out);
}

Decoded DecodeSocketReply(absl::Span<const uint8_t> packet, SocketReply* reply) {
  ByteReader in(packet);
  reply->id = GetHeader(in, Type::kSocketReply);
  reply->error = in.U32("error");
  if (reply->error > kMaxErrno) in.Fail("error");
  return Verdict(in);
}

}  // namespace sockgate
