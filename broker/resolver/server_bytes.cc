#include "broker/resolver/server_bytes.h"

namespace sockgate {

void PutServer(ByteWriter& out, const Endpoint& server) {
  out.U8(static_cast<uint8_t>(server.family()));
  out.Zeros(1);
  out.U16(server.port());
  out.U32(server.scope_id());
  out.Copy(server.ip().data(), server.ip().size());
  out.Zeros(IpAddress::V6Bytes().size() - server.ip().size());
}

Endpoint GetServer(ByteReader& in) {
  const uint8_t family = in.U8("family");
  in.Zeros("reserved", 1);
  const uint16_t port = in.U16("port");
  const uint32_t scope_id = in.U32("scope_id");
  if (family == static_cast<uint8_t>(Endpoint::Family::kIpv6)) {
    return Endpoint::Ip(GetV6(in, "address"), port, scope_id);
  }
  if (family != static_cast<uint8_t>(Endpoint::Family::kIpv4)) in.Fail("family");
  if (scope_id != 0) in.Fail("scope_id");
  const IpAddress address = GetV4(in, "address");
  in.Zeros("address", IpAddress::V6Bytes().size() - address.size());
  return Endpoint::Ip(address, port);
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
  if (address.is_v4()) in.Fail(field);
  return address;
}

}  // namespace sockgate
