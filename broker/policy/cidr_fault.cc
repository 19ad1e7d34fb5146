#include "broker/policy/cidr_fault.h"

#include <optional>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "broker/policy/cidr.h"
#include "broker/policy/idna.h"
#include "proto/ip_address.h"

namespace sockgate {
namespace {

std::string Write(absl::string_view text) { return absl::StrCat("write \"", text, "\""); }

CidrFault OfAddress(absl::string_view address, const IpAddress& base, absl::string_view prefix) {
  if (base.is_v4() && absl::StrContains(address, ':')) {
    return {"is an IPv4 address in the form of IPv6", Write(base.ToString())};
  }
  int bits = 0;
  const bool number = prefix.find_first_not_of("0123456789") == absl::string_view::npos;
  if (!number || !absl::SimpleAtoi(prefix, &bits) || bits > base.bits()) {
    return {"has no prefix that fits",
            absl::StrCat("write ", base.ToString(), "/0 to /", base.bits())};
  }
  const Cidr around = Cidr::Around(base, bits);
  if (around.base() != base) {
    return {"has bits set beyond its prefix",
            absl::StrCat(Write(around.ToString()), ", or \"", base.ToString(), "\" alone")};
  }
  return {"has a prefix with a zero in front", Write(around.ToString())};
}

// The address before the last colon, as in 192.0.2.1:443.
std::optional<IpAddress> AddressBeforePort(absl::string_view text) {
  return IpAddress::Parse(text.substr(0, text.rfind(':')));
}

}  // namespace

CidrFault FindCidrFault(absl::string_view text) {
  const size_t slash = text.find('/');
  const absl::string_view address = text.substr(0, slash);
  if (const auto base = IpAddress::Parse(address)) {
    const bool prefixed = slash != absl::string_view::npos;
    return OfAddress(address, *base, prefixed ? text.substr(slash + 1) : "");
  }
  if (const auto before = AddressBeforePort(text)) {
    return {"has a port in it",
            absl::StrCat("write cidr = \"", before->ToString(), "\" and the port in 'ports'")};
  }
  const auto host = ParseInternationalHost(address);
  if (host.ok() && std::holds_alternative<IpAddress>(*host)) {
    return {"is an odd spelling of an address", Write(ToString(*host))};
  }
  if (host.ok()) return {"is a name", absl::StrCat("write host = \"", ToString(*host), "\"")};
  return {"is no address range",
          "write ADDRESS or ADDRESS/PREFIX, as in \"192.0.2.0/24\" or \"2001:db8::/32\""};
}

}  // namespace sockgate
