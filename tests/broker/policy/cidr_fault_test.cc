// Each slip is named, and what was meant is written out.

#include "broker/policy/cidr_fault.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "broker/policy/cidr.h"

namespace sockgate {
namespace {

TEST(CidrFaultTest, NamesTheSlip) {
  const struct {
    const char* text;
    const char* fault;
  } kTable[] = {
      {"10.9.8.7/8", "has bits set beyond its prefix: write \"10.0.0.0/8\", or \"10.9.8.7\" alone"},
      {"2001:db8::1/32",
       "has bits set beyond its prefix: write \"2001:db8::/32\", or \"2001:db8::1\" alone"},
      {"1.2.3.4/33", "has no prefix that fits: write 1.2.3.4/0 to /32"},
      {"1.2.3.4/", "has no prefix that fits: write 1.2.3.4/0 to /32"},
      {"1.2.3.4/-1", "has no prefix that fits: write 1.2.3.4/0 to /32"},
      {"1.2.3.4/99999999999999999999", "has no prefix that fits: write 1.2.3.4/0 to /32"},
      {"::/129", "has no prefix that fits: write ::/0 to /128"},
      {"10.0.0.0/08", "has a prefix with a zero in front: write \"10.0.0.0/8\""},
      {"::ffff:10.0.0.1", "is an IPv4 address in the form of IPv6: write \"10.0.0.1\""},
      {"::ffff:10.0.0.0/104", "is an IPv4 address in the form of IPv6: write \"10.0.0.0\""},
      {"8.8.8.8:443", "has a port in it: write cidr = \"8.8.8.8\" and the port in 'ports'"},
      {"0x7f.1", "is an odd spelling of an address: write \"127.0.0.1\""},
      {"[::1]", "is an odd spelling of an address: write \"::1\""},
      {"example.com", "is a name: write host = \"example.com\""},
      {"",
       "is no address range: write ADDRESS or ADDRESS/PREFIX, as in \"192.0.2.0/24\" or "
       "\"2001:db8::/32\""},
      {"10.0.0", "is an odd spelling of an address: write \"10.0.0.0\""},
      {"1.2.3.4.5",
       "is no address range: write ADDRESS or ADDRESS/PREFIX, as in \"192.0.2.0/24\" or "
       "\"2001:db8::/32\""},
  };
  for (const auto& row : kTable) {
    ASSERT_FALSE(Cidr::Parse(row.text).has_value()) << row.text;
    const CidrFault fault = FindCidrFault(row.text);
    EXPECT_EQ(absl::StrCat(fault.what, ": ", fault.advice), row.fault) << row.text;
  }
}

}  // namespace
}  // namespace sockgate
