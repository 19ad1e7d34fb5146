#include "broker/resolver/keeper_orders.h"

#include <string>

#include "broker/resolver/server_bytes.h"
#include "proto/bytes.h"

namespace sockgate {
namespace {

enum class Type : uint8_t { kKill = 1, kRestart = 2 };

void PutText(ByteWriter& out, const std::string& text) {
  out.U16(static_cast<uint16_t>(text.size()));
  out.Copy(text.data(), text.size());
}

std::string GetText(ByteReader& in, const char* field) {
  const uint16_t size = in.U16(field);
  return std::string(in.View(field, size));
}

void PutOptional(ByteWriter& out, const std::optional<uint32_t>& value) {
  out.U8(value.has_value() ? 1 : 0);
  out.U32(value.value_or(0));
}

std::optional<uint32_t> GetOptional(ByteReader& in, const char* field) {
  const uint8_t present = in.U8(field);
  const uint32_t value = in.U32(field);
  if (present > 1 || (present == 0 && value != 0)) in.Fail(field);
  return present == 1 ? std::optional<uint32_t>(value) : std::nullopt;
}

void PutOptions(ByteWriter& out, const ResolverOptions& options) {
  out.U8(static_cast<uint8_t>(options.servers.size()));
  for (const Endpoint& server : options.servers) PutServer(out, server);
  PutOptional(out, options.timeout_ms);
  PutOptional(out, options.tries);
  PutOptional(out, options.ndots);
  out.U8(static_cast<uint8_t>(options.search.size()));
  for (const std::string& domain : options.search) PutText(out, domain);
  PutText(out, options.resolv_conf);
  PutText(out, options.hosts_file);
}

ResolverOptions GetOptions(ByteReader& in) {
  ResolverOptions options;
  const uint8_t servers = in.U8("servers");
  for (int i = 0; i < servers && in.ok(); ++i) options.servers.push_back(GetServer(in));
  options.timeout_ms = GetOptional(in, "timeout_ms");
  options.tries = GetOptional(in, "tries");
  options.ndots = GetOptional(in, "ndots");
  const uint8_t domains = in.U8("search");
  for (int i = 0; i < domains && in.ok(); ++i) options.search.push_back(GetText(in, "search"));
  options.resolv_conf = GetText(in, "resolv_conf");
  options.hosts_file = GetText(in, "hosts_file");
  if (!CheckResolverOptions(options).ok()) in.Fail("options");
  return options;
}

}  // namespace

size_t EncodeKeeperOrder(const KeeperOrder& order, absl::Span<uint8_t> packet) {
  ByteWriter out(packet);
  out.U8(static_cast<uint8_t>(order.options.has_value() ? Type::kRestart : Type::kKill));
  if (order.options.has_value()) {
    if (!CheckResolverOptions(*order.options).ok()) return 0;
    PutOptions(out, *order.options);
  }
  return out.ok() ? out.size() : 0;
}

Decoded DecodeKeeperOrder(absl::Span<const uint8_t> packet, KeeperOrder* order) {
  ByteReader in(packet);
  const auto type = static_cast<Type>(in.U8("type"));
  order->options.reset();
  if (type == Type::kRestart) {
    order->options = GetOptions(in);
  } else if (type != Type::kKill) {
    in.Fail("type");
  }
  in.End();
  return in.ok() ? Decoded::Ok() : Decoded::Bad(in.failed_field());
}

}  // namespace sockgate
