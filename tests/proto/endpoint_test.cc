#include "proto/endpoint.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace sockgate {
namespace {

constexpr socklen_t kUnixHeader = offsetof(sockaddr_un, sun_path);

IpAddress Address(absl::string_view text) { return *IpAddress::Parse(text); }

// A sockaddr_un whose path field holds `path`, followed by bytes that are not zero.
sockaddr_un UnixSockaddr(absl::string_view path) {
  sockaddr_un address;
  std::memset(&address, 'Z', sizeof(address));
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

template <typename Sockaddr>
std::optional<Endpoint> From(const Sockaddr& address, size_t length) {
  return Endpoint::FromSockaddr(reinterpret_cast<const sockaddr*>(&address),
                                static_cast<socklen_t>(length));
}

std::optional<Endpoint> FromUnix(absl::string_view path, size_t counted) {
  return From(UnixSockaddr(path), kUnixHeader + counted);
}

sockaddr_in6 V6Sockaddr(absl::string_view address, uint32_t scope_id) {
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(443);
  v6.sin6_flowinfo = htonl(0x12345);
  v6.sin6_scope_id = scope_id;
  const auto parsed = IpAddress::Parse(address);
  if (parsed->is_v4()) {
    v6.sin6_addr.s6_addr[10] = 0xff;
    v6.sin6_addr.s6_addr[11] = 0xff;
    std::memcpy(&v6.sin6_addr.s6_addr[12], parsed->data(), 4);
  } else {
    std::memcpy(&v6.sin6_addr, parsed->data(), 16);
  }
  return v6;
}

void ExpectRoundTrip(const Endpoint& endpoint) {
  sockaddr_storage storage;
  const socklen_t length = endpoint.ToSockaddr(&storage);
  EXPECT_EQ(storage.ss_family, endpoint.address_family());
  EXPECT_EQ(From(storage, length), endpoint) << endpoint.ToString();
}

TEST(EndpointTest, IsNowhereAtFirst) {
  const Endpoint endpoint;
  EXPECT_TRUE(endpoint.is_ip());
  EXPECT_EQ(endpoint.family(), Endpoint::Family::kIpv4);
  EXPECT_EQ(endpoint.ToString(), "0.0.0.0:0");
}

TEST(EndpointTest, ReadsAnIpv4Sockaddr) {
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(8080);
  v4.sin_addr.s_addr = htonl(0xc0000201);
  const auto endpoint = From(v4, sizeof(v4));
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(endpoint->ip(), Address("192.0.2.1"));
  EXPECT_EQ(endpoint->port(), 8080);
  EXPECT_EQ(endpoint->address_family(), AF_INET);
  for (socklen_t length = 0; length < sizeof(v4); ++length) {
    EXPECT_FALSE(From(v4, length).has_value()) << length;
  }
}

TEST(EndpointTest, ReadsAnIpv6SockaddrWithItsScope) {
  const sockaddr_in6 v6 = V6Sockaddr("fe80::1", 7);
  const auto endpoint = From(v6, sizeof(v6));
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(endpoint->ip(), Address("fe80::1"));
  EXPECT_EQ(endpoint->port(), 443);
  EXPECT_EQ(endpoint->scope_id(), 7U);
  EXPECT_EQ(endpoint->address_family(), AF_INET6);
  for (socklen_t length = 0; length < sizeof(v6); ++length) {
    EXPECT_FALSE(From(v6, length).has_value()) << length;
  }
}

TEST(EndpointTest, ReadsAMappedSockaddrAsIpv4WithoutAScope) {
  const sockaddr_in6 v6 = V6Sockaddr("127.0.0.1", 7);
  const auto endpoint = From(v6, sizeof(v6));
  EXPECT_EQ(endpoint, Endpoint::Ip(Address("127.0.0.1"), 443));
  EXPECT_EQ(endpoint->scope_id(), 0U);
  EXPECT_EQ(endpoint->ToString(), "127.0.0.1:443");
}

TEST(EndpointTest, ReadsLongerIpSockaddrs) {
  sockaddr_storage storage = {};
  storage.ss_family = AF_INET;
  EXPECT_EQ(From(storage, sizeof(storage)), Endpoint());
  storage.ss_family = AF_INET6;
  EXPECT_EQ(From(storage, sizeof(storage)), Endpoint::Ip(Address("::"), 0));
}

TEST(EndpointTest, RefusesEveryOtherFamily) {
  sockaddr_storage storage = {};
  for (int family = 0; family <= UINT16_MAX; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6) continue;
    storage.ss_family = static_cast<sa_family_t>(family);
    ASSERT_FALSE(From(storage, sizeof(storage)).has_value()) << family;
  }
}

TEST(EndpointTest, RefusesASockaddrTooShortForItsFamily) {
  EXPECT_FALSE(Endpoint::FromSockaddr(nullptr, 0).has_value());
  const sockaddr_un unix_address = UnixSockaddr("/run/x");
  EXPECT_FALSE(From(unix_address, 1).has_value());
}

TEST(EndpointTest, ReadsAPathnameWithAndWithoutItsNul) {
  const auto expected = Endpoint::Unix("/run/x");
  ASSERT_TRUE(expected.has_value());
  EXPECT_EQ(FromUnix("/run/x", 6), expected);
  EXPECT_EQ(FromUnix({"/run/x\0", 7}, 7), expected);
  EXPECT_EQ(FromUnix({"/run/x\0", 7}, kMaxUnixPathBytes), expected);
  EXPECT_EQ(FromUnix("/run/xyz", 6), expected);
}

TEST(EndpointTest, ReadsAnAbstractNameToItsLastByte) {
  const auto endpoint = FromUnix({"\0a\0b", 4}, 4);
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(endpoint->unix_name(), absl::string_view("\0a\0b", 4));
  EXPECT_NE(FromUnix({"\0a\0", 3}, 3), FromUnix({"\0a", 2}, 2));
  const std::string longest = '\0' + std::string(kMaxUnixPathBytes - 1, 'a');
  EXPECT_EQ(FromUnix(longest, longest.size()), Endpoint::Unix(longest));
}

TEST(EndpointTest, RefusesUnixNamesThatCannotBeConnectedTo) {
  EXPECT_FALSE(FromUnix("", 0).has_value()) << "unnamed";
  EXPECT_FALSE(FromUnix({"\0", 1}, 1).has_value()) << "autobind";
  const std::string full(kMaxUnixPathBytes, 'p');
  EXPECT_FALSE(FromUnix(full, full.size()).has_value()) << "no room for the NUL";
  EXPECT_TRUE(FromUnix(full, full.size() - 1).has_value());
  sockaddr_storage storage = {};
  storage.ss_family = AF_UNIX;
  EXPECT_FALSE(From(storage, sizeof(sockaddr_un) + 1).has_value()) << "longer than sockaddr_un";
}

TEST(EndpointTest, TakesUnixNamesByTheSameRules) {
  EXPECT_TRUE(Endpoint::Unix("x").has_value());
  EXPECT_TRUE(Endpoint::Unix({"\0x", 2}).has_value());
  EXPECT_TRUE(Endpoint::Unix({"\0\0", 2}).has_value());
  EXPECT_FALSE(Endpoint::Unix("").has_value());
  EXPECT_FALSE(Endpoint::Unix({"\0", 1}).has_value());
  EXPECT_FALSE(Endpoint::Unix({"/a\0b", 4}).has_value());
  EXPECT_FALSE(Endpoint::Unix({"/a\0", 3}).has_value());
  EXPECT_TRUE(Endpoint::Unix(std::string(107, 'p')).has_value());
  EXPECT_FALSE(Endpoint::Unix(std::string(108, 'p')).has_value());
  EXPECT_TRUE(Endpoint::Unix('\0' + std::string(107, 'p')).has_value());
  EXPECT_FALSE(Endpoint::Unix('\0' + std::string(108, 'p')).has_value());
}

TEST(EndpointTest, MakesAnIpv4Sockaddr) {
  sockaddr_storage storage;
  std::memset(&storage, 'Z', sizeof(storage));
  ASSERT_EQ(Endpoint::Ip(Address("192.0.2.1"), 443).ToSockaddr(&storage), sizeof(sockaddr_in));
  sockaddr_in v4;
  std::memcpy(&v4, &storage, sizeof(v4));
  EXPECT_EQ(v4.sin_family, AF_INET);
  EXPECT_EQ(ntohs(v4.sin_port), 443);
  EXPECT_EQ(ntohl(v4.sin_addr.s_addr), 0xc0000201U);
  EXPECT_EQ(std::string(v4.sin_zero, v4.sin_zero + 8), std::string(8, '\0'));
}

TEST(EndpointTest, MakesAnIpv6SockaddrWithoutAFlowLabel) {
  sockaddr_storage storage;
  std::memset(&storage, 'Z', sizeof(storage));
  ASSERT_EQ(Endpoint::Ip(Address("fe80::1"), 443, 3).ToSockaddr(&storage), sizeof(sockaddr_in6));
  sockaddr_in6 v6;
  std::memcpy(&v6, &storage, sizeof(v6));
  EXPECT_EQ(ntohs(v6.sin6_port), 443);
  EXPECT_EQ(v6.sin6_flowinfo, 0U);
  EXPECT_EQ(v6.sin6_scope_id, 3U);
  EXPECT_EQ(v6.sin6_addr.s6_addr[0], 0xfe);
}

TEST(EndpointTest, MakesUnixSockaddrsOfTheLengthThatTheKernelExpects) {
  sockaddr_storage storage;
  EXPECT_EQ(Endpoint::Unix("/run/x")->ToSockaddr(&storage), kUnixHeader + 7);
  EXPECT_STREQ(reinterpret_cast<sockaddr_un*>(&storage)->sun_path, "/run/x");
  EXPECT_EQ(Endpoint::Unix({"\0x", 2})->ToSockaddr(&storage), kUnixHeader + 2);
  EXPECT_EQ(Endpoint::Unix(std::string(107, 'p'))->ToSockaddr(&storage), sizeof(sockaddr_un));
}

TEST(EndpointTest, SurvivesTheWayThereAndBack) {
  ExpectRoundTrip(Endpoint());
  ExpectRoundTrip(Endpoint::Ip(Address("255.255.255.255"), 65535));
  ExpectRoundTrip(Endpoint::Ip(Address("::"), 0, UINT32_MAX));
  ExpectRoundTrip(Endpoint::Ip(Address("2001:db8::1"), 443));
  ExpectRoundTrip(*Endpoint::Unix("/run/x"));
  ExpectRoundTrip(*Endpoint::Unix({"\0\0\0", 3}));
  ExpectRoundTrip(*Endpoint::Unix(std::string(107, 'p')));
  ExpectRoundTrip(*Endpoint::Unix('\0' + std::string(107, 'p')));
}

TEST(EndpointTest, KeepsAScopeForIpv6Alone) {
  EXPECT_EQ(Endpoint::Ip(Address("192.0.2.1"), 80, 5).scope_id(), 0U);
  EXPECT_EQ(Endpoint::Ip(Address("fe80::1"), 80, 5).scope_id(), 5U);
}

TEST(EndpointTest, DiffersInEveryPart) {
  const Endpoint endpoint = Endpoint::Ip(Address("fe80::1"), 80, 1);
  EXPECT_EQ(endpoint, Endpoint::Ip(Address("fe80::1"), 80, 1));
  EXPECT_NE(endpoint, Endpoint::Ip(Address("fe80::2"), 80, 1));
  EXPECT_NE(endpoint, Endpoint::Ip(Address("fe80::1"), 81, 1));
  EXPECT_NE(endpoint, Endpoint::Ip(Address("fe80::1"), 80, 2));
  EXPECT_NE(Endpoint(), *Endpoint::Unix("/run/x"));
  EXPECT_NE(*Endpoint::Unix("x"), *Endpoint::Unix({"\0x", 2}));
}

TEST(EndpointTest, PrintsIp) {
  EXPECT_EQ(Endpoint::Ip(Address("192.0.2.1"), 443).ToString(), "192.0.2.1:443");
  EXPECT_EQ(Endpoint::Ip(Address("2001:DB8:0::1"), 443).ToString(), "[2001:db8::1]:443");
  EXPECT_EQ(Endpoint::Ip(Address("fe80::1"), 443, 2).ToString(), "[fe80::1%2]:443");
  EXPECT_EQ(Endpoint::Ip(Address("::ffff:10.0.0.1"), 1).ToString(), "10.0.0.1:1");
}

TEST(EndpointTest, PrintsUnixNamesOnOneLine) {
  const struct {
    absl::string_view name;
    const char* printed;
  } kTable[] = {
      {"/run/x", "unix:/run/x"},
      {{"\0bus", 4}, "unix:@bus"},
      {{"\0a\0b", 4}, R"(unix:@a\x00\x62)"},
      {"a\nb\r\t", R"(unix:a\nb\r\t)"},
      {"\x1b[2J", R"(unix:\x1b[2J)"},
      {"\x7f\x80\xff", R"(unix:\x7f\x80\xff)"},
      {"\"q\"", R"(unix:\"q\")"},
      {R"(\x40)", R"(unix:\\x40)"},
      {"@bus", R"(unix:\x40bus)"},
      {{"\0@", 2}, "unix:@@"},
  };
  for (const auto& row : kTable) EXPECT_EQ(Endpoint::Unix(row.name)->ToString(), row.printed);
}

TEST(EndpointTest, AppendsToWhatIsThere) {
  std::string line = "to ";
  Endpoint::Ip(Address("::1"), 80).AppendTo(&line);
  EXPECT_EQ(line, "to [::1]:80");
}

}  // namespace
}  // namespace sockgate
