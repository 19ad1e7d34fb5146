#include "broker/policy/host_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <string>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

using ::testing::HasSubstr;

std::string Label(size_t size) { return std::string(size, 'a'); }

// `size` bytes in labels of at most 63.
std::string NameOf(size_t size) {
  std::string name = Label(size);
  for (size_t dot = 63; dot + 1 < size; dot += 64) name[dot] = '.';
  return name;
}

std::string Name(absl::string_view text) {
  const auto name = HostName::Parse(text);
  return name.ok() ? std::string(name->text()) : absl::StrCat("error: ", name.status().message());
}

// "name www.example.com", "address 127.0.0.1" or "error: ...".
std::string Meaning(absl::string_view text) {
  const auto host = ParseHost(text);
  if (!host.ok()) return absl::StrCat("error: ", host.status().message());
  return absl::StrCat(std::holds_alternative<HostName>(*host) ? "name " : "address ",
                      ToString(*host));
}

TEST(HostNameTest, FoldsCaseAndTakesOneDotOff) {
  EXPECT_EQ(Name("www.example.com"), "www.example.com");
  EXPECT_EQ(Name("WWW.Example.COM"), "www.example.com");
  EXPECT_EQ(Name("example.com."), "example.com");
  EXPECT_EQ(Name("localhost"), "localhost");
  EXPECT_EQ(Name("a"), "a");
  EXPECT_EQ(Name("a."), "a");
}

TEST(HostNameTest, TakesWhatTheDnsHasInUse) {
  EXPECT_EQ(Name("_dmarc.example.com"), "_dmarc.example.com");
  EXPECT_EQ(Name("_"), "_");
  EXPECT_EQ(Name("r3---sn-4g5e.example.com"), "r3---sn-4g5e.example.com");
  EXPECT_EQ(Name("1e100.net"), "1e100.net");
  EXPECT_EQ(Name("1.0.0.127.in-addr.arpa"), "1.0.0.127.in-addr.arpa");
  EXPECT_EQ(Name("XN--BCHER-KVA.example"), "xn--bcher-kva.example");
  EXPECT_EQ(Name("xn--zzzzzzzz99999.example"), "xn--zzzzzzzz99999.example");
}

TEST(HostNameTest, HoldsTheLengthsOfTheDns) {
  EXPECT_EQ(Name(Label(63) + ".com"), Label(63) + ".com");
  EXPECT_THAT(Name(Label(64) + ".com"), HasSubstr("label of 64 bytes"));
  EXPECT_EQ(Name(NameOf(253)), NameOf(253));
  EXPECT_EQ(Name(NameOf(253) + "."), NameOf(253));
  EXPECT_THAT(Name(NameOf(254)), HasSubstr("254 bytes"));
  EXPECT_THAT(Name(NameOf(254) + "."), HasSubstr("254 bytes"));
  EXPECT_THAT(Name(NameOf(509)), HasSubstr("509 bytes"));
}

TEST(HostNameTest, SaysWhatIsWrong) {
  const struct {
    std::string text;
    const char* message;
  } kTable[] = {
      {"", "empty"},
      {".", "empty"},
      {"..", "empty label"},
      {"a..b", "empty label"},
      {".a", "empty label"},
      {"a..", "empty label"},
      {"-a.com", "hyphen"},
      {"a-.com", "hyphen"},
      {"a.-", "hyphen"},
      {"xn--.com", "hyphen"},
      {std::string("a.com\0", 6), "NUL"},
      {std::string("\0", 1), "NUL"},
      {std::string("a.com\0.evil.example", 19), "NUL"},
      {"a b.com", "white space"},
      {" a.com", "white space"},
      {"a.com\n", "white space"},
      {"a.com\r\nHost: x", "white space"},
      {"a\t.com", "white space"},
      {"a\x01.com", "control character"},
      {"a\x7f.com", "control character"},
      {"a%2ecom", "percent escape"},
      {"a.com:443", "port"},
      {"a.com/", "path"},
      {"a.com/24", "prefix length"},
      {"me@a.com", "user"},
      {"https://a.com", "URL"},
      {"//a.com", "'/'"},
      {"[a.com]", "bracket"},
      {"*.a.com", "'*'"},
      {"a,b", "','"},
      {"a;b", "';'"},
      {"a\\b", "'\\'"},
      {"a\"b", "'\"'"},
      {"a?b", "'?'"},
      {"a#b", "'#'"},
      {"b\xc3\xbc"
       "cher.example",
       "xn--"},
      {"a\xff", "ASCII"},
      {"127.0.0.1", "number"},
      {"a.0x10", "number"},
      {"a.1.", "number"},
  };
  for (const auto& row : kTable) {
    EXPECT_THAT(Name(row.text), testing::AllOf(HasSubstr("error: "), HasSubstr(row.message)))
        << row.text;
  }
}

TEST(HostNameTest, TriesEveryByte) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool fine = byte < 128 && (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.');
    EXPECT_EQ(HostName::Parse(std::string("a") + c + "b").ok(), fine) << byte;
  }
}

TEST(HostNameTest, ComparesTheFoldedText) {
  EXPECT_EQ(*HostName::Parse("A.com."), *HostName::Parse("a.com"));
  EXPECT_NE(*HostName::Parse("a.com"), *HostName::Parse("a.co"));
}

TEST(ParseHostTest, TakesEverySpellingOfAnIpv4Address) {
  const struct {
    const char* text;
    const char* address;
  } kTable[] = {
      {"127.0.0.1", "127.0.0.1"},
      {"127.0.0.1.", "127.0.0.1"},
      {"2130706433", "127.0.0.1"},
      {"017700000001", "127.0.0.1"},
      {"0x7f000001", "127.0.0.1"},
      {"0X7F000001", "127.0.0.1"},
      {"0x7f.1", "127.0.0.1"},
      {"0177.0.0.1", "127.0.0.1"},
      {"0x7f.0.0.0x1", "127.0.0.1"},
      {"0177.0x0.00.1", "127.0.0.1"},
      {"127.1", "127.0.0.1"},
      {"127.0.1", "127.0.0.1"},
      {"127.1.", "127.0.0.1"},
      {"10.65535", "10.0.255.255"},
      {"10.16777215", "10.255.255.255"},
      {"10.1.65535", "10.1.255.255"},
      {"10.1.2.255", "10.1.2.255"},
      {"4294967295", "255.255.255.255"},
      {"0xffffffff", "255.255.255.255"},
      {"037777777777", "255.255.255.255"},
      {"0", "0.0.0.0"},
      {"00", "0.0.0.0"},
      {"0x", "0.0.0.0"},
      {"0x.0X.0.0", "0.0.0.0"},
      {"1", "0.0.0.1"},
      {"0xA9fEa9Fe", "169.254.169.254"},
      {"169.254.43518", "169.254.169.254"},
      {"00000000000000000000000000000177.0.0.1", "127.0.0.1"},
      {"0x00000000000000000000000000000000007f.1", "127.0.0.1"},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(Meaning(row.text), absl::StrCat("address ", row.address)) << row.text;
  }
  EXPECT_EQ(Meaning(std::string(5000, '0') + "1"), "address 0.0.0.1");
}

TEST(ParseHostTest, RefusesWhatEndsInANumberAndIsNoAddress) {
  const struct {
    std::string text;
    const char* message;
  } kTable[] = {
      {"1.2.3.4.5", "four parts"},
      {"1.2.3.4.5.6.7.8", "four parts"},
      {"256.1.1.1", "part 1 is too large"},
      {"1.2.3.256", "part 4 is too large"},
      {"1.256.1", "part 2 is too large"},
      {"1.2.65536", "part 3 is too large"},
      {"1.16777216", "part 2 is too large"},
      {"4294967296", "part 1 is too large"},
      {"0x100000000", "part 1 is too large"},
      {"040000000000", "part 1 is too large"},
      {"18446744073709551617", "part 1 is too large"},
      {"0400.0.0.1", "part 1 is too large"},
      {std::string(5000, '9'), "part 1 is too large"},
      {"0x" + std::string(5000, 'f'), "part 1 is too large"},
      {"09", "octal"},
      {"09.1.1.1", "part 1 is not a number"},
      {"1.1.1.08", "part 4 is not a number"},
      {"1.2.a.4", "part 3 is not a number"},
      {"1.2.0xg.4", "part 3 is not a number"},
      {"example.0x10", "part 1 is not a number"},
      {"example.1", "part 1 is not a number"},
      {"www.example.com.127", "part 1 is not a number"},
      {"-1.0.0.1", "part 1 is not a number"},
      {"1e3.1", "part 1 is not a number"},
      {"1..2", "two dots"},
      {".1", "one in front"},
      {"1.2..4", "two dots"},
  };
  for (const auto& row : kTable) {
    EXPECT_THAT(Meaning(row.text), testing::AllOf(HasSubstr("error: "), HasSubstr(row.message)))
        << row.text;
  }
}

TEST(ParseHostTest, TakesIpv6WithAndWithoutBrackets) {
  EXPECT_EQ(Meaning("[2001:db8::1]"), "address 2001:db8::1");
  EXPECT_EQ(Meaning("[2001:DB8:0:0::1]"), "address 2001:db8::1");
  EXPECT_EQ(Meaning("2001:db8::1"), "address 2001:db8::1");
  EXPECT_EQ(Meaning("::1"), "address ::1");
  EXPECT_EQ(Meaning("[::]"), "address ::");
  EXPECT_EQ(Meaning("[::ffff:127.0.0.1]"), "address 127.0.0.1");
  EXPECT_EQ(Meaning("::ffff:7f00:1"), "address 127.0.0.1");
  EXPECT_EQ(Meaning("[64:ff9b::127.0.0.1]"), "address 64:ff9b::7f00:1");
}

TEST(ParseHostTest, RefusesEveryOtherBracketAndColon) {
  const struct {
    std::string text;
    const char* message;
  } kTable[] = {
      {"[", "without its ']'"},
      {"[::1", "without its ']'"},
      {"[]", "not an IPv6 address"},
      {"[127.0.0.1]", "not an IPv6 address"},
      {"[2130706433]", "not an IPv6 address"},
      {"[example.com]", "not an IPv6 address"},
      {"[v1.fe80]", "not an IPv6 address"},
      {"[[::1]]", "after the ']'"},
      {"[[::1]", "not an IPv6 address"},
      {"[::1].", "after the ']'"},
      {"[::1]:443", "port"},
      {"[ ::1]", "not an IPv6 address"},
      {"[1:2:3]", "not an IPv6 address"},
      {"[::127.1]", "not an IPv6 address"},
      {"[::0x7f.0.0.1]", "not an IPv6 address"},
      {std::string("[::1\0]", 6), "not an IPv6 address"},
      {"::1]", "port"},
      {"::1.", "no IPv6 address"},
      {"1:2:3", "no IPv6 address"},
      {":::", "no IPv6 address"},
      {"2001:db8::1::2", "no IPv6 address"},
      {"127.0.0.1:80", "port"},
      {"example.com:443", "port"},
      {"::1/128", "':'"},
      {"fe80::1%eth0", "zone id"},
      {"fe80::1%1", "zone id"},
      {"[fe80::1%eth0]", "zone id"},
      {"[fe80::1%25eth0]", "zone id"},
      {"127.0.0.1%lo", "percent"},
  };
  for (const auto& row : kTable) {
    EXPECT_THAT(Meaning(row.text), testing::AllOf(HasSubstr("error: "), HasSubstr(row.message)))
        << row.text;
  }
}

TEST(ParseHostTest, RefusesEscapesAndJunk) {
  const struct {
    std::string text;
    const char* message;
  } kTable[] = {
      {"", "empty"},
      {".", "empty"},
      {"%31%32%37.0.0.1", "percent"},
      {"127.0.0.%31", "percent"},
      {"127%2e0%2e0%2e1", "percent"},
      {"127.0.0.1 ", "white space"},
      {"127.0.0.1 example.com", "white space"},
      {"\t127.0.0.1", "white space"},
      {std::string("127.0.0.1\0.example.com", 22), "NUL"},
      {"127.0.0.1/8", "prefix length"},
      {"http://127.0.0.1/", "URL"},
      {"a@127.0.0.1", "user"},
      {"+127.0.0.1", "'+'"},
      {"127,0,0,1", "','"},
      {"\xef\xbc\x91.0.0.1", "ASCII"},
  };
  for (const auto& row : kTable) {
    EXPECT_THAT(Meaning(row.text), testing::AllOf(HasSubstr("error: "), HasSubstr(row.message)))
        << row.text;
  }
}

TEST(ParseHostTest, TakesTheRestForNames) {
  EXPECT_EQ(Meaning("Example.COM."), "name example.com");
  EXPECT_EQ(Meaning("127.0.0.1.example.com"), "name 127.0.0.1.example.com");
  EXPECT_EQ(Meaning("127.0.0.1.nip.io"), "name 127.0.0.1.nip.io");
  EXPECT_EQ(Meaning("1.2.3.4a"), "name 1.2.3.4a");
  EXPECT_EQ(Meaning("0xg"), "name 0xg");
  EXPECT_EQ(Meaning("0x7f.0.0.1x"), "name 0x7f.0.0.1x");
  EXPECT_EQ(Meaning("1_"), "name 1_");
  EXPECT_EQ(Meaning("x0x1"), "name x0x1");
  EXPECT_EQ(Meaning("dead.beef"), "name dead.beef");
  EXPECT_EQ(Meaning(NameOf(253)), "name " + NameOf(253));
  EXPECT_THAT(Meaning(NameOf(254)), HasSubstr("254 bytes"));
}

}  // namespace
}  // namespace sockgate
