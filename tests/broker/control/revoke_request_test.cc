#include "broker/control/revoke_request.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/strip.h"
#include "broker/control/control_limits.h"

namespace sockgate {
namespace {

// What the text means, in the words that would order it; or the error.
std::string Read(absl::string_view pairs) {
  const auto order = ParseRevokeRequest(pairs);
  return order.ok() ? RevokeRequest(*order) : std::string{order.status().message()};
}

TEST(RevokeRequestTest, EachSelectorAndAllOfThem) {
  for (const char* text :
       {"", " role=fetch", " worker=0", " worker=18446744073709551615", " to=192.0.2.0/24",
        " to=2001:db8::/32", " role=a.b-c_1 worker=3 to=0.0.0.0/0"}) {
    EXPECT_EQ(Read(text), "revoke" + std::string(text));
  }
  EXPECT_EQ(Read(" to=192.0.2.1 role=fetch"), "revoke role=fetch to=192.0.2.1/32");
}

// Least of all for an order to end everything.
TEST(RevokeRequestTest, WhatIsMisspeltIsNotTakenForAnother) {
  const struct {
    absl::string_view pairs;
    const char* error;
  } cases[] = {
      {"d", "unknown request"},
      {"\n", "unknown request"},
      {"role=fetch", "unknown request"},
      {" ", "revoke knows role=, worker= and to="},
      {"  role=fetch", "revoke knows role=, worker= and to="},
      {" role=fetch ", "revoke knows role=, worker= and to="},
      {" Role=fetch", "revoke knows role=, worker= and to="},
      {" all", "revoke knows role=, worker= and to="},
      {" role=", "role= wants one role's name"},
      {" role=a/b", "role= wants one role's name"},
      {" role=a role=a", "role= wants one role's name"},
      {{" role=a\0b", 9}, "role= wants one role's name"},
      {" worker=", "worker= wants one worker's number"},
      {" worker=-1", "worker= wants one worker's number"},
      {" worker=+1", "worker= wants one worker's number"},
      {" worker=1x", "worker= wants one worker's number"},
      {" worker=\t1", "worker= wants one worker's number"},
      {" worker=18446744073709551616", "worker= wants one worker's number"},
      {" worker=1 worker=2", "worker= wants one worker's number"},
      {" to=", "to= wants one address range"},
      {" to=example.com", "to= wants one address range"},
      {" to=192.0.2.1/24", "to= wants one address range"},
      {" to=::ffff:10.0.0.0/104", "to= wants one address range"},
      {" to=10.0.0.0/8 to=10.0.0.0/8", "to= wants one address range"},
  };
  for (const auto& one : cases) EXPECT_EQ(Read(one.pairs), one.error) << one.pairs;
}

TEST(RevokeRequestTest, TheLongestFits) {
  RevokeOrder order;
  order.role = std::string(64, 'r');
  order.worker = UINT64_MAX;
  order.to = Cidr::Parse("1111:2222:3333:4444:5555:6666:7777:8888");
  const std::string text = RevokeRequest(order);
  EXPECT_LE(text.size(), kMaxControlRequestBytes);
  EXPECT_EQ(Read(absl::StripPrefix(text, kRevokeWord)), text);
}

}  // namespace
}  // namespace sockgate
